/** One PostgreSQL and one RabbitMQ for all contenders, with the durability of production. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import type { PrivateBroker } from "@smartcart/engines";
import { startEmbeddedPostgres, startPrivateBroker } from "@smartcart/engines";
import { silentLogger } from "@smartcart/runtime";
import { processTree } from "@smartcart/testkit";

/** Owns both servers; databases and virtual hosts are not removed before they stop. */
export interface Engines extends AsyncDisposable {
  /** A new, empty database. */
  createDatabase(name: string): Promise<string>;
  /** A new, empty virtual host. */
  createVirtualHost(name: string): Promise<string>;
  readonly managementUrl: string;
  postgresPids(): Promise<readonly number[]>;
  rabbitmqPids(): Promise<readonly number[]>;
}

/** Keeps the data below `directory`. */
export async function startEngines(directory: string): Promise<Engines> {
  await using started = new AsyncDisposableStack();
  const broker = started.use(
    await startPrivateBroker({ directory: join(directory, "rabbitmq"), log: silentLogger }),
  );
  const postgres = started.use(await startPostgres(directory));
  const running = started.move();
  return {
    async createDatabase(name) {
      const database = `bench_${name.replaceAll("-", "_")}`;
      await administer(
        postgres.url,
        `drop database if exists ${database} with (force)`,
        `create database ${database}`,
      );
      const url = new URL(postgres.url);
      url.pathname = database;
      await administer(url.href, "create extension pg_stat_statements");
      return url.href;
    },
    createVirtualHost: (name) => createVirtualHost(broker, name),
    managementUrl: broker.managementUrl,
    postgresPids: async () => (await processTree(postgres.pid)).map((info) => info.pid),
    rabbitmqPids: async () => [broker.pid],
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** With `pg_stat_statements`, which has to be loaded at the start. */
async function startPostgres(stateDirectory: string) {
  const options = { stateDirectory, log: silentLogger, durable: true, maxConnections: 240 };
  const first = await startEmbeddedPostgres(options);
  await administer(first.url, "alter system set shared_preload_libraries = 'pg_stat_statements'");
  await first[Symbol.asyncDispose]();
  return startEmbeddedPostgres(options);
}

async function administer(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function createVirtualHost(broker: PrivateBroker, name: string): Promise<string> {
  await broker.ctl("delete_vhost", name).catch(() => {});
  await broker.ctl("add_vhost", name);
  await broker.ctl("set_permissions", "-p", name, "guest", ".*", ".*", ".*");
  return `${broker.amqpUrl}/${name}`;
}

/** The lines of an SQL file of this package. */
export function sqlFile(path: string): Promise<string> {
  return readFile(fileURLToPath(new URL(path, import.meta.url)), "utf8");
}
