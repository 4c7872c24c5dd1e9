import pg from "pg";
import type { TestDatabase } from "./test-database.ts";
import { createTestDatabase } from "./test-database.ts";

/**
 * An empty database whose text sorts by the rules of a language ("cs-CZ"), which is the default of many servers, to test that nothing
 * depends on the order of text. It is on the server of `createTestDatabase`, and disposing drops it.
 */
export async function createLocaleDatabase(icuLocale: string): Promise<TestDatabase> {
  await using started = new AsyncDisposableStack();
  const beside = started.use(await createTestDatabase());
  const url = new URL(beside.url);
  const name = `${url.pathname.slice(1)}_locale`;
  const client = new pg.Client({ connectionString: beside.url });
  await client.connect();
  started.defer(() => client.end());
  await client.query(
    `create database ${name} template template0 encoding 'UTF8' locale_provider icu ` +
      `icu_locale '${icuLocale}' locale 'C'`,
  );
  started.defer(async () => {
    await client.query(`drop database if exists ${name} with (force)`);
  });
  url.pathname = `/${name}`;
  const running = started.move();
  return { url: url.href, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
