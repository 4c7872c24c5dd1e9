import { randomBytes } from "node:crypto";
import pg from "pg";
import { borrow } from "./test-server/borrow.ts";

/** An empty database for one test. Disposing drops it, and ends connections that are still open. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/**
 * A new, empty database of its own: on the server of TEST_DATABASE_URL where that is set (its user must be allowed to
 * create databases), else on an embedded PostgreSQL that all test processes of this user share, which is started by the
 * first one and stops by itself.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env.TEST_DATABASE_URL;
  return server ? createOn(server) : borrow<{ url: string }>("databases");
}

async function createOn(server: string): Promise<TestDatabase> {
  const name = `smartcart_test_${randomBytes(8).toString("hex")}`;
  await execute(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => execute(server, `drop database if exists ${name} with (force)`),
  };
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
