/** The service and a model of it are given the same commands; their answers and their stock have to agree. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { propertyOptions } from "@smartcart/testkit";
import { createReservationManager } from "../src/reservations/reservation-manager.ts";
import { commands, products } from "./stock-commands.ts";
import { StockModel } from "./stock-model.ts";
import type { TestInventory } from "./support.ts";
import { brokenStock, startTestInventory } from "./support.ts";

it("answers as the model does, command after command, and keeps every unit accounted for", async () => {
  await using inventory = await startTestInventory({ RESERVATION_SWEEP_MS: "86400000" });
  await using database = createDatabase({
    url: inventory.databaseUrl,
    schema: "inventory",
    log: silentLogger,
  });
  const manager = createReservationManager({ database, onChange: () => {} });
  await listProducts(inventory);
  const units = fc.tuple(...products.map(() => fc.integer({ min: 2, max: 4 })));
  await fc.assert(
    fc.asyncProperty(units, commands, async (initial, steps) => {
      const stock = new Map(products.map((product, index) => [product, initial[index] as number]));
      await beginAnew(inventory, stock);
      await fc.asyncModelRun(
        () => ({ model: new StockModel(stock), real: { inventory, manager } }),
        steps,
      );
      expect(await brokenStock(inventory.sql)).toEqual([]);
    }),
    propertyOptions({ numRuns: 60 }),
  );
});

async function listProducts({ sql }: TestInventory): Promise<void> {
  await sql.query({
    text: `WITH listed AS (
        INSERT INTO product (product_id, name, description, category, emoji, currency_code, price_minor)
        SELECT id, 'Test', 'For a test.', 'Test', '🧪', 'USD', 100 FROM unnest($1::text[]) AS id
        RETURNING product_id)
      INSERT INTO stock (product_id, initial, available) SELECT product_id, 0, 0 FROM listed`,
    values: [products],
  });
}

/** No reservations, and so many units of each product. */
async function beginAnew({ sql }: TestInventory, units: ReadonlyMap<string, number>) {
  await sql.query({ text: "DELETE FROM reservation" });
  await sql.query({
    text: `UPDATE stock SET initial = units, available = units, reserved = 0
      FROM unnest($1::text[], $2::int[]) AS given (id, units) WHERE product_id = id`,
    values: [[...units.keys()], [...units.values()]],
  });
}
