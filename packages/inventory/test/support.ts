import { randomUUID } from "node:crypto";
import { vi } from "vitest";
import { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { ServiceClient } from "@smartcart/mesh";
import { createServiceClient } from "@smartcart/mesh";
import { parseConfig, silentLogger } from "@smartcart/runtime";
import type { RunningService } from "@smartcart/service";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import { inventoryConfig, startInventory } from "../src/index.ts";

/** A real service on a real database of its own, with clients as other services have them. */
export interface TestInventory extends AsyncDisposable {
  readonly url: string;
  readonly databaseUrl: string;
  readonly service: RunningService;
  readonly client: ServiceClient<typeof InventoryService>;
  /** As an operator. */
  readonly admin: ServiceClient<typeof CatalogueAdminService>;
  readonly sql: Database;
  /** Starts one more process' worth of the service on the same database. */
  addReplica(): Promise<TestReplica>;
  /** Adds a product of which there are so many units, and answers its id. */
  addProduct(units: number): Promise<string>;
}

export interface TestReplica {
  readonly service: RunningService;
  readonly client: ServiceClient<typeof InventoryService>;
}

export async function startTestInventory(env: Record<string, string> = {}): Promise<TestInventory> {
  await using starting = new AsyncDisposableStack();
  const { url: databaseUrl } = starting.use(await createTestDatabase());
  const config = parseConfig({ INVENTORY_PORT: "0", STOCK_POLL_MS: "20", ...env }, inventoryConfig);
  const sql = starting.use(
    createDatabase({ url: databaseUrl, schema: "inventory", log: silentLogger }),
  );
  const replicas = starting.use(new AsyncDisposableStack());

  async function addReplica(): Promise<TestReplica> {
    const service = replicas.use(await startInventory({ config, databaseUrl, log: silentLogger }));
    return { service, client: replicas.use(createTestClient(service.url)) };
  }

  const { service, client } = await addReplica();
  const admin = replicas.use(
    createServiceClient(CatalogueAdminService, {
      caller: "operator",
      baseUrl: service.url,
      log: silentLogger,
    }),
  );
  const running = starting.move();
  return {
    url: service.url,
    databaseUrl,
    service,
    client,
    admin,
    sql,
    addReplica,
    async addProduct(units) {
      const productId = `test-${randomUUID()}`;
      await sql.query({
        text: `WITH listed AS (
            INSERT INTO product (product_id, name, description, category, emoji, currency_code, price_minor)
            VALUES ($1, 'Test', 'For a test.', 'Test', '🧪', 'USD', 100) RETURNING product_id)
          INSERT INTO stock (product_id, initial, available) SELECT product_id, $2, $2 FROM listed`,
        values: [productId, units],
      });
      return productId;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export function createTestClient(baseUrl: string): ServiceClient<typeof InventoryService> {
  return createServiceClient(InventoryService, { caller: "order", baseUrl, log: silentLogger });
}

/** The pockets of a product. */
export async function stockOf(sql: Database, productId: string): Promise<object | undefined> {
  const { rows } = await sql.query({
    text: "SELECT available, held, committed FROM stock_level WHERE product_id = $1",
    values: [productId],
  });
  return rows[0];
}

/** Rows that must not exist: stock that does not agree with the reservations. */
export async function brokenStock(sql: Database): Promise<object[]> {
  const { rows } = await sql.query({
    text: `SELECT s.*, r.units AS reserved_by_reservations
      FROM stock s LEFT JOIN (
        SELECT line->>'productId' AS product_id, sum((line->>'quantity')::int) AS units
        FROM reservation, jsonb_array_elements(lines) AS line
        WHERE status IN ('HELD', 'COMMITTED') GROUP BY 1) r USING (product_id)
      LEFT JOIN (SELECT product_id, sum(delta) AS units FROM stock_adjustment GROUP BY 1) a USING (product_id)
      WHERE s.initial + s.adjusted <> s.available + s.reserved OR least(s.available, s.reserved) < 0
         OR s.reserved <> coalesce(r.units, 0) OR s.adjusted <> coalesce(a.units, 0)`,
  });
  return rows;
}

/** Waits until the assertion holds. */
export function eventually(assertion: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(assertion, { timeout: 10_000, interval: 10 });
}

export function newId(): string {
  return `ORD-${randomUUID()}`;
}
