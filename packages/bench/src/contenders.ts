/** What is measured: the stacks that people would write instead, and SmartCart in its three shapes. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { idAt } from "@smartcart/reconciler";
import { freePorts, waitFor } from "@smartcart/testkit";
import type { Engines } from "./engines.ts";
import { sqlFile } from "./engines.ts";
import { initialStock, priceMinor } from "./peers/prices.ts";
import type { RunningProcess } from "./processes.ts";
import { startProcess } from "./processes.ts";

export type ContenderName = "seed" | "durable" | "smartcart" | "embedded" | "services";

export const contenders: Readonly<Record<ContenderName, string>> = {
  seed: "the seed's stack: Express, @grpc/grpc-js, amqplib; nothing is durable",
  durable: "the same, a PostgreSQL transaction a step, persistent confirmed messages",
  smartcart: "SmartCart, one process, PostgreSQL and RabbitMQ",
  embedded: "SmartCart, one process, everything on PostgreSQL",
  services: "SmartCart, a process a service, PostgreSQL and RabbitMQ",
};

/** A contender that takes orders. */
export interface Contender extends AsyncDisposable {
  /** One for each replica of the order service. */
  readonly orderUrls: readonly [string, ...string[]];
  readonly processes: readonly RunningProcess[];
  readonly databaseUrl: string | undefined;
  /** From the start of the processes until they take orders, in milliseconds; undefined for the peers. */
  readonly readyMs?: number;
  /** Orders whose shipment is stored (or, for the seed's stack, was begun). */
  shipped(): Promise<number>;
}

export interface StartOptions {
  readonly engines: Engines;
  readonly directory: string;
  /** How many products there are. */
  readonly products: number;
  /** Write a CPU profile of each process when it ends. */
  readonly profile: boolean;
  /** A database of that contender. Default: a new one. */
  readonly databaseUrl?: string | undefined;
  /** Processes of each service that takes, relays or ships orders, where a service is a process. Default 1. */
  readonly replicas?: number | undefined;
}

export async function startContender(name: ContenderName, o: StartOptions): Promise<Contender> {
  await mkdir(o.directory, { recursive: true });
  switch (name) {
    case "seed":
    case "durable":
      return startPeer(name, o);
    case "smartcart":
    case "embedded":
      return startSmartCart(name, o);
    case "services":
      return startServices(o);
  }
}

const portVariables = {
  order: "ORDER_PORT",
  inventory: "INVENTORY_PORT",
  payment: "PAYMENT_PORT",
  shipping: "SHIPPING_PORT",
  notification: "NOTIFICATION_PORT",
  "status-hub": "STATUS_PORT",
  log: "LOG_PORT",
  ops: "OPS_PORT",
  web: "WEB_PORT",
} as const;

type Ports = Record<(typeof portVariables)[keyof typeof portVariables], string>;

export async function choosePorts(): Promise<Ports> {
  const variables = Object.values(portVariables);
  const free = await freePorts(variables.length);
  return Object.fromEntries(variables.map((variable, i) => [variable, String(free[i])])) as Ports;
}

async function startPeer(name: "seed" | "durable", o: StartOptions): Promise<Contender> {
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

async function startSmartCart(name: "smartcart" | "embedded", o: StartOptions): Promise<Contender> {
  await using started = new AsyncDisposableStack();
  const ports = await choosePorts();
  const databaseUrl = o.databaseUrl ?? (await o.engines.createDatabase(name));
  const env = {
    ...common(o, databaseUrl),
    ...ports,
    ...(name === "smartcart" && { AMQP_URL: await o.engines.createVirtualHost(name) }),
  };
  const startedAt = performance.now();
  const smartcart = started.use(
    startProcess({
      name: "smartcart",
      args: [...profileArgs(o, "smartcart"), "packages/smartcart/src/main.ts", "up"],
      env,
      logFile: join(o.directory, "smartcart.log"),
    }),
  );
  const orderUrl = `http://127.0.0.1:${ports.ORDER_PORT}`;
  await smartcart.answers(`${orderUrl}/readyz`);
  const readyMs = performance.now() - startedAt;
  const running = started.move();
  return finish({
    orderUrls: [orderUrl],
    processes: [smartcart],
    databaseUrl,
    readyMs,
    running,
    o,
  });
}

async function startServices(o: StartOptions): Promise<Contender> {
  await using started = new AsyncDisposableStack();
  const ports = await choosePorts();
  const databaseUrl = o.databaseUrl ?? (await o.engines.createDatabase("services"));
  const url = (variable: keyof Ports) => `http://127.0.0.1:${ports[variable]}`;
  const env = {
    ...common(o, databaseUrl),
    ...ports,
    AMQP_URL: await o.engines.createVirtualHost("services"),
    INVENTORY_URL: url("INVENTORY_PORT"),
    PAYMENT_URL: url("PAYMENT_PORT"),
    SHIPPING_URL: url("SHIPPING_PORT"),
    ORDER_URL: url("ORDER_PORT"),
  };
  const services = [
    "log",
    "inventory",
    "payment",
    "shipping",
    "order",
    "notification",
    "status-hub",
  ];
  const startedAt = performance.now();
  const processes = services.map((service) =>
    started.use(
      startProcess({
        name: service,
        args: [...profileArgs(o, service), `packages/${service}/src/main.ts`],
        env,
        logFile: join(o.directory, `${service}.log`),
      }),
    ),
  );
  await Promise.all(
    processes.map((process) =>
      process.answers(`${url(portVariables[process.name as keyof typeof portVariables])}/readyz`),
    ),
  );
  const readyMs = performance.now() - startedAt;
  const orderUrls: [string, ...string[]] = [url("ORDER_PORT")];
  for (let replica = 2; replica <= (o.replicas ?? 1); replica += 1) {
    for (const service of ["order", "shipping", "notification"] as const) {
      const variable = portVariables[service];
      const port = String((await freePorts(1))[0]);
      const name = `${service}-${replica}`;
      const one = started.use(
        startProcess({
          name,
          args: [...profileArgs(o, name), `packages/${service}/src/main.ts`],
          env: { ...env, [variable]: port },
          logFile: join(o.directory, `${name}.log`),
        }),
      );
      await one.answers(`http://127.0.0.1:${port}/readyz`);
      if (service === "order") orderUrls.push(`http://127.0.0.1:${port}`);
      processes.push(one);
    }
  }
  const running = started.move();
  return finish({ orderUrls, processes, databaseUrl, readyMs, running, o });
}

function common(o: StartOptions, databaseUrl: string): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    SMARTCART_STATE: o.directory,
    // The peers' parcels leave at once as well.
    SHIPPING_DELAY_MS: "0",
    // An answer that is early but empty would be quicker than one that knows the outcome.
    ORDER_ANSWER_TIMEOUT_MS: "10000",
    ORDER_RATE_LIMIT_PER_SECOND: "0",
    SMARTCART_DEMO: "false",
  };
}

async function finish({
  orderUrls,
  processes,
  databaseUrl,
  readyMs,
  running,
  o,
}: {
  orderUrls: readonly [string, ...string[]];
  processes: readonly RunningProcess[];
  databaseUrl: string;
  readyMs: number;
  running: AsyncDisposableStack;
  o: StartOptions;
}): Promise<Contender> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  running.defer(() => pool.end());
  await addProducts(pool, o.products);
  // Orders of products that the order service's copy of the catalogue does not have yet are refused.
  for (const orderUrl of orderUrls) {
    await waitFor(async () => (await placeOne(orderUrl)) === 201, { what: "the first order" });
  }
  // By their ids, which begin with their time: a count of all that was ever shipped would be measured as well.
  const first = idAt(Date.now());
  return {
    orderUrls,
    processes,
    databaseUrl,
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

async function placeOne(orderUrl: string): Promise<number> {
  const response = await fetch(`${orderUrl}/placeOrder`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      userId: "bench",
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

function profileArgs(o: StartOptions, name: string): string[] {
  return o.profile
    ? ["--cpu-prof", `--cpu-prof-dir=${o.directory}`, `--cpu-prof-name=${name}.cpuprofile`]
    : [];
}
