/** Settings and checks of SmartCart, in one process and in many. */
import { readFile } from "node:fs/promises";
import pg from "pg";
import { idAt } from "@smartcart/reconciler";
import { waitFor } from "@smartcart/testkit";
import type { Contender, StartOptions } from "./contender.ts";
import { initialStock, priceMinor } from "./peers/prices.ts";
import type { RunningProcess } from "./processes.ts";

/** Settings of every process of SmartCart. */
export function settingsOf(o: StartOptions, databaseUrl: string): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    SMARTCART_STATE: o.directory,
    // The peers ship without a delay as well.
    SHIPPING_DELAY_MS: "0",
    // So long that every answer has the outcome: an early PENDING would be quicker.
    ORDER_ANSWER_TIMEOUT_MS: "10000",
    ORDER_RATE_LIMIT_PER_SECOND: "0",
    SMARTCART_DEMO: "false",
  };
}

/** Adds the products, and resolves when orders for them are accepted. `running` is disposed of with the contender. */
export async function finish({
  orderUrls,
  processes,
  databaseUrl,
  tokensFile,
  readyMs,
  running,
  o,
}: {
  orderUrls: readonly [string, ...string[]];
  processes: readonly RunningProcess[];
  databaseUrl: string;
  tokensFile?: string | undefined;
  readyMs: number;
  running: AsyncDisposableStack;
  o: StartOptions;
}): Promise<Contender> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  running.defer(() => pool.end());
  await addProducts(pool, o.products);
  const customer = tokensFile === undefined ? undefined : await firstCustomer(tokensFile);
  // The first order warms up connections and statements.
  for (const orderUrl of orderUrls) {
    await waitFor(async () => (await placeOne(orderUrl, customer)) === 201, {
      what: "the first order",
    });
  }
  // By their ids, which begin with their time: a count of all that was ever shipped would be measured as well.
  const first = idAt(Date.now());
  return {
    orderUrls,
    processes,
    databaseUrl,
    tokensFile,
    readyMs,
    async shipped() {
      const { rows } = await pool.query(
        "select count(*)::int as shipped from shipping.shipment where order_id >= $1 and status = 'SHIPPED'",
        [first],
      );
      return rows[0].shipped;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

interface BenchCustomer {
  readonly userId: string;
  readonly token: string;
}

async function firstCustomer(tokensFile: string): Promise<BenchCustomer> {
  const [userId = "", token = ""] = (await readFile(tokensFile, "utf8")).split(/\s/, 2);
  return { userId, token };
}

async function placeOne(orderUrl: string, customer: BenchCustomer | undefined): Promise<number> {
  const response = await fetch(`${orderUrl}/placeOrder`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(customer && { authorization: `Bearer ${customer.token}` }),
    },
    body: JSON.stringify({
      userId: customer?.userId ?? "bench",
      items: [{ productId: "bench-000000", quantity: 1 }],
      address: "1 Main Street",
    }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function addProducts(pool: pg.Pool, products: number): Promise<void> {
  await pool.query(
    `with listed as (
       insert into inventory.product (product_id, name, description, category, emoji, currency_code, price_minor)
       select 'bench-' || to_char(i, 'FM000000'), 'Bench ' || i, '', 'Bench', '', 'USD', $2::bigint
       from generate_series(0, $1::int - 1) i on conflict do nothing returning product_id)
     insert into inventory.stock (product_id, initial, available)
     select product_id, $3::int, $3::int from listed`,
    [products, priceMinor, initialStock],
  );
}
