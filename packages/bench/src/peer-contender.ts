/** The peers: stacks that a team would write instead of SmartCart. */
import { join } from "node:path";
import pg from "pg";
import type { Contender, StartOptions } from "./contender.ts";
import { choosePorts, profileArgs } from "./contender.ts";
import { sqlFile } from "./engines.ts";
import { initialStock } from "./peers/prices.ts";
import { startProcess } from "./processes.ts";

export async function startPeer(name: "seed" | "durable", o: StartOptions): Promise<Contender> {
  await using started = new AsyncDisposableStack();
  const ports = await choosePorts();
  const databaseUrl = name === "durable" ? await o.engines.createDatabase("durable") : undefined;
  if (databaseUrl !== undefined) await createPeerTables(databaseUrl, o.products);
  const env = {
    ...ports,
    AMQP_URL: await o.engines.createVirtualHost(name),
    DATABASE_URL: databaseUrl ?? "",
    BENCH_PRODUCTS: String(o.products),
    BENCH_DURABLE: String(name === "durable"),
    NODE_ENV: "production",
  };
  const start = (service: string, script: string) =>
    started.use(
      startProcess({
        name: service,
        args: [...profileArgs(o, service), `packages/bench/src/peers/${script}.ts`],
        env,
        logFile: join(o.directory, `${service}.log`),
      }),
    );
  const processes = ["inventory", "payment"].map((service) => start(service, `${name}/${service}`));
  const shipping = start("shipping", `${name}/shipping`);
  const order = start("order", `${name}/order`);
  const hub = start("status-hub", "hub");
  const shippingUrl = `http://127.0.0.1:${ports.SHIPPING_PORT}`;
  await shipping.answers(`${shippingUrl}/readyz`);
  const orderUrl = `http://127.0.0.1:${ports.ORDER_PORT}`;
  await order.answers(`${orderUrl}/readyz`);
  const running = started.move();
  return {
    orderUrls: [orderUrl],
    processes: [...processes, shipping, order, hub],
    databaseUrl,
    async shipped() {
      const answer = await (await fetch(`${shippingUrl}/shipped`)).json();
      return (answer as { shipped: number }).shipped;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function createPeerTables(databaseUrl: string, products: number): Promise<void> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  await pool.query(await sqlFile("./peers/durable/schema.sql"));
  await pool.query(
    `insert into stock (product_id, available)
     select 'bench-' || to_char(i, 'FM000000'), $2::int from generate_series(0, $1::int - 1) i`,
    [products, initialStock],
  );
  await pool.end();
}
