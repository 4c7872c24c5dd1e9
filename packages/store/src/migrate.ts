import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";
import { reasonOf, retryUntilReady, StartError } from "@smartcart/runtime";
import { addressOf } from "./address.ts";
import type { Database } from "./database.ts";
import { assertIdentifier } from "./database.ts";
import { postgresFaults } from "./postgres-faults.ts";
import { isConnectionError, sqlState, sqlStateOf } from "./sql-errors.ts";

/** Numbered SQL files that belong together. A schema may have several sets, each with its own numbers. */
export interface MigrationSet {
  /** "orders", "outbox". Also names its table of applied files: `migrations_<name>`. */
  name: string;
  /** Folder with `0001_what.sql`, `0002_what.sql`, … */
  directory: URL;
}

/** The files and the database do not fit each other. The message says what to do. */
export class MigrationError extends Error {
  readonly code = "MIGRATION_FAILED";

  constructor(message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "MigrationError";
  }
}

interface Migration {
  readonly number: number;
  readonly file: string;
  readonly sql: string;
  readonly sha256: string;
}

/**
 * Brings the schema of `db` up to date: creates it, and applies the files that it has not seen, in order, all of them in
 * one transaction. Idempotent. Several processes may call it at once; they wait for each other.
 *
 * There are no down migrations, and a change of an applied file is rejected. Files that only the database knows are no error when they
 * are newer than all files here: that is an older process beside newer ones during a rollout.
 *
 * Waits for a database that cannot be reached. Throws a StartError where waiting does not help, such as for a missing grant.
 */
export async function migrate(db: Database, set: MigrationSet): Promise<void> {
  assertIdentifier(set.name);
  const files = await readMigrations(set);
  await retryUntilReady({
    what: `PostgreSQL at ${addressOf(db.url)}`,
    variable: "DATABASE_URL",
    log: db.log,
    attempt: () => migrateOnce(db, set, files),
    isFatal: (error) =>
      error instanceof StartError || (error instanceof MigrationError && !isConnectionError(error)),
    faults: postgresFaults,
  });
}

async function migrateOnce(
  db: Database,
  set: MigrationSet,
  files: readonly Migration[],
): Promise<void> {
  const connection = await db.connect();
  const client = patient(connection);
  try {
    await client.query("begin");
    // a migration of a large table, and the wait for that of another process, may take longer than any other statement
    await client.query("set local statement_timeout = 0");
    // once more for this transaction: unqualified names in the files must never reach another schema
    await client.query(`set local search_path = "${db.schema}"`);
    const lock = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
    await client.query(lock, [`smartcart.migrate.${db.schema}`]);
    await createSchema(client, db.schema);
    await applyPending(client, `${db.schema}.migrations_${set.name}`, files);
    await client.query("commit");
    connection.release();
  } catch (error) {
    // closing the connection rolls back and gives up the lock, also where a rollback could not be sent any more
    connection.release(true);
    if (sqlStateOf(error) !== sqlState.insufficientPrivilege) throw error;
    throw await notAllowed(db, error);
  }
}

interface Client {
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<R>>;
}

/** Runs statements without a client-side time-out. */
function patient(client: pg.PoolClient): Client {
  const longestTimerMs = 2 ** 31 - 1;
  return {
    query: (text, values) =>
      client.query({ text, values, query_timeout: longestTimerMs } as pg.QueryConfig<unknown[]>),
  };
}

/** Not `if not exists`, which asks for the right to create it even where it exists: an administrator may have made it. */
async function createSchema(client: Client, schema: string): Promise<void> {
  const { rowCount } = await client.query("select 1 from pg_namespace where nspname = $1", [
    schema,
  ]);
  if (rowCount === 0) await client.query(`create schema ${schema}`);
}

async function notAllowed(db: Database, cause: unknown): Promise<unknown> {
  const { rows } = await db.query<{ user: string; database: string; exists: boolean }>({
    text: `select quote_ident(current_user) as user, quote_ident(current_database()) as database,
             exists (select from pg_namespace where nspname = $1) as exists`,
    values: [db.schema],
  });
  const [{ user, database, exists } = { user: "", database: "", exists: false }] = rows;
  const what = exists ? `all on schema ${db.schema}` : `create on database ${database}`;
  return new StartError(
    `DATABASE_URL: PostgreSQL at ${addressOf(db.url)}: ${reasonOf(cause)}: run there as its owner: grant ${what} to ${user}`,
    { variable: "DATABASE_URL", cause },
  );
}

async function applyPending(
  client: Client,
  table: string,
  files: readonly Migration[],
): Promise<void> {
  // As with the schema: `if not exists` asks for a right that a role without anything to apply need not have.
  const { rows } = await client.query("select to_regclass($1) as found", [table]);
  if (rows[0]?.found === null) await createTable(client, table);
  const applied = await client.query<{ number: number; file: string; sha256: string }>(
    `select number, file, sha256 from ${table} order by number`,
  );
  const seen = new Map(applied.rows.map((row) => [row.number, row]));
  for (const file of files) {
    const before = seen.get(file.number);
    if (before) assertSame(file, before, table);
    else await apply(client, table, file);
  }
}

async function createTable(client: Client, table: string): Promise<void> {
  await client.query(`create table ${table} (
    number integer primary key,
    file text not null,
    sha256 text not null,
    applied_at timestamptz not null default now()
  )`);
}

function assertSame(
  file: Migration,
  applied: { file: string; sha256: string },
  table: string,
): void {
  if (file.sha256 === applied.sha256) return;
  throw new MigrationError(
    `${file.file} was edited after it had been applied as ${applied.file} (see ${table}): ` +
      "restore it, and put the change into a new file with the next number",
  );
}

async function apply(client: Client, table: string, file: Migration): Promise<void> {
  try {
    await client.query(file.sql);
  } catch (error) {
    throw new MigrationError(`${file.file} failed: ${(error as Error).message}`, { cause: error });
  }
  await client.query(`insert into ${table} (number, file, sha256) values ($1, $2, $3)`, [
    file.number,
    file.file,
    file.sha256,
  ]);
}

async function readMigrations(set: MigrationSet): Promise<Migration[]> {
  const names = (await readdir(set.directory)).filter((name) => name.endsWith(".sql")).sort();
  const base = set.directory.href.replace(/\/*$/, "/");
  return Promise.all(
    names.map(async (file, index) => {
      const number = Number(/^(\d{4})_[a-z0-9_-]+\.sql$/.exec(file)?.[1]);
      if (number !== index + 1) {
        const expected = `${String(index + 1).padStart(4, "0")}_what-it-does.sql`;
        throw new MigrationError(`${set.name}: found ${file} where ${expected} was expected`);
      }
      const text = await readFile(new URL(file, base), "utf8");
      // a checkout on Windows may have turned the line ends; that is no edit
      const sql = text.replaceAll("\r\n", "\n");
      return { number, file, sql, sha256: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}
