/** SmartCart as `npm start` runs it: every service in one process, with private engines. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startEmbeddedPostgres, startPrivateBroker } from "@smartcart/engines";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import type { SpawnedService } from "@smartcart/testkit";
import { freePorts, spawnService, waitFor } from "@smartcart/testkit";
import type { Targets } from "./generator.ts";

/** The engine of the event bus. */
export type Queue = "postgres" | "rabbitmq";

/** Disposal stops the process before the engines that it uses. */
export interface Shop extends AsyncDisposable {
  readonly process: SpawnedService;
  /** Where V8's inspector listens. */
  readonly inspectorUrl: string;
  readonly targets: Targets;
  /** URLs that answer 200 while the shop is ready. */
  readonly probes: readonly string[];
  readonly database: Database;
  /** Process id of the database server. */
  readonly databasePid: number;
}

const ports = ["ORDER", "INVENTORY", "PAYMENT", "STATUS", "LOG", "NOTIFICATION", "SHIPPING", "OPS"];
const startsWithinMs = 120_000;
/** The product that the customers order; its stock outlasts every soak. */
export const product = "soak-tea";

/** Starts it below `directory`, with the durability that production has. */
export async function startShop(directory: string, queue: Queue): Promise<Shop> {
  await using started = new AsyncDisposableStack();
  const server = started.use(
    await startEmbeddedPostgres({ stateDirectory: directory, log: silentLogger }),
  );
  const env: Record<string, string> = {
    DATABASE_URL: server.url,
    SMARTCART_STATE: directory,
    LOG_LEVEL: "warn",
    SHIPPING_DELAY_MS: "300",
  };
  if (queue === "rabbitmq") {
    const brokerDirectory = join(directory, "broker");
    await mkdir(brokerDirectory, { recursive: true });
    const broker = await startPrivateBroker({ directory: brokerDirectory, log: silentLogger });
    env.AMQP_URL = started.use(broker).amqpUrl;
  }
  const chosen = await freePorts(ports.length + 1);
  const urls: Record<string, string> = {};
  for (const [index, service] of [...ports, "WEB"].entries()) {
    env[`${service}_PORT`] = `${chosen[index]}`;
    urls[service] = `http://127.0.0.1:${chosen[index]}`;
  }
  const process = started.use(
    spawnService({ args: ["--inspect=127.0.0.1:0", "packages/smartcart/src/main.ts", "up"], env }),
  );
  await untilReady(process);
  const database = started.use(
    createDatabase({ url: server.url, schema: "orders", log: silentLogger, maxConnections: 2 }),
  );
  for (const text of putOnSale) await database.query({ text, values: [product] });
  const { ORDER: order = "", INVENTORY: inventory = "", WEB: page = "", STATUS: hub = "" } = urls;
  const targets = { order, inventory, page, hub, asset: await largestFile(page) };
  const running = started.move();
  return {
    process,
    inspectorUrl: /ws:\/\/\S+/.exec(process.errorOutput())?.[0] ?? "",
    targets,
    probes: Object.values(urls).map((url) => `${url}/readyz`),
    database,
    databasePid: server.pid,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function untilReady(process: SpawnedService): Promise<void> {
  let ended: number | NodeJS.Signals | undefined;
  void process.exited.then((code) => {
    ended = code;
  });
  const isReady = () => process.output().includes("SmartCart is ready") || ended !== undefined;
  await waitFor(isReady, { what: "SmartCart to be ready", timeoutMs: startsWithinMs });
  if (ended === undefined) return;
  throw new Error(`SmartCart ended with ${ended}; it wrote:\n${process.output()}`);
}

const putOnSale = [
  `insert into inventory.product (product_id, name, description, category, emoji, currency_code, price_minor)
   values ($1::text, 'Soak Tea', 'There is enough.', 'Tea', '🫖', 'USD', 900)`,
  "insert into inventory.stock (product_id, initial, available) values ($1::text, 100000000, 100000000)",
];

/** Found in the HTML of the page. */
async function largestFile(page: string): Promise<string> {
  const html = await (await fetch(page, { headers: { accept: "text/html" } })).text();
  const paths = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
    ([, path]) => path ?? "",
  );
  const sizes = await Promise.all(
    paths.map(async (path) => (await (await fetch(page + path)).bytes()).length),
  );
  const largest = paths[sizes.indexOf(Math.max(...sizes))];
  if (largest === undefined) throw new Error("the page names no file below /assets");
  return largest;
}
