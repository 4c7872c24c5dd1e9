/** Fills the database of a SmartCart with finished orders. */
import pg from "pg";
import { sqlFile } from "./engines.ts";
import { priceMinor } from "./peers/prices.ts";

const chunkSize = 50_000;

/** Stores so many shipped orders of the first `products` bench products, the newest an hour old, and analyses the tables. */
export async function storeFinishedOrders(
  databaseUrl: string,
  count: number,
  products: number,
  print: (text: string) => void,
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const text = await sqlFile("./finished-orders.sql");
    const newest = new Date(Date.now() - 3_600_000);
    // The oldest first, in the order in which they would have been placed.
    for (let to = count; to > 0; to -= chunkSize) {
      const from = Math.max(1, to - chunkSize + 1);
      await client.query(text, [from, to, newest, products, priceMinor]);
      if (from > 1) print(`stored ${count - from + 1} of ${count} orders`);
    }
    // The state after autovacuum, and no checkpoint of the filling during a measurement.
    await client.query("vacuum analyze");
    await client.query("checkpoint");
  } finally {
    await client.end();
  }
}
