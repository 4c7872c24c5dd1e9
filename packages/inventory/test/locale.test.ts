/** A database that sorts by the rules of a language: the catalogue's order and its page tokens do not depend on it. */
import { expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase, migrate } from "@smartcart/store";
import { createLocaleDatabase } from "@smartcart/testkit";
import { listProducts } from "../src/store/read-products.ts";

const everything = { query: "", category: "", archived: "no" } as const;

it("lists the catalogue by code point in every locale, and its pages neither repeat nor skip", async () => {
  await using resources = new AsyncDisposableStack();
  const { url } = resources.use(await createLocaleDatabase("cs-CZ"));
  const database = resources.use(createDatabase({ url, schema: "inventory", log: silentLogger }));
  const directory = new URL("../migrations/", import.meta.url);
  await migrate(database, { name: "inventory", directory });
  const names = ["CH", "CI", "ch", "Č", "D", "H", "I", "á", "a", "Z", "ž", "_", "1"];
  await database.query({
    text: `WITH listed AS (
        INSERT INTO product (product_id, name, description, category, emoji, currency_code, price_minor)
        SELECT name, name, '', 'CH', '', 'USD', 1 FROM unnest($1::text[]) name RETURNING product_id)
      INSERT INTO stock (product_id, initial, available) SELECT product_id, 1, 1 FROM listed`,
    values: [names],
  });
  const all = await listProducts(database, everything, undefined, 200);
  const keys = all.map(({ category, name, productId }) => [category, name, productId]);
  expect(keys).toEqual(
    keys.toSorted((a, b) => Buffer.compare(Buffer.from(a.join("\0")), Buffer.from(b.join("\0")))),
  );
  const paged: typeof all = [];
  for (;;) {
    const page = await listProducts(database, everything, paged.at(-1), 5);
    if (page.length === 0) break;
    paged.push(...page);
  }
  expect(paged).toEqual(all);
});
