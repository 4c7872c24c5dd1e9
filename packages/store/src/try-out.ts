import type pg from "pg";
import { reasonOf, StartError } from "@smartcart/runtime";
import { addressOf } from "./address.ts";
import { DatabaseClient } from "./database-client.ts";
import { setUpSession } from "./session.ts";
import { sqlState } from "./sql-errors.ts";

const oldestVersion = 150_000;
const timeoutMs = 5_000;
/** It need not exist: nothing is written. */
const probeSchema = "smartcart_probe";

/**
 * Checks, before anything is written, that SmartCart supports the server at `url`: its version, its encoding, that it is writable, and
 * that session state persists. Throws a StartError for a fault for which waiting does not help.
 */
export async function tryOut(url: string): Promise<void> {
  await using client = await connect(url);
  await setUpSession(client, probeSchema);
  const server = await readServer(client);
  const problem = problemOf(server);
  if (problem !== undefined) throw startError(url, problem);
  if (server.read_only) throw readOnlyNow();
  await proveSession(url, client);
}

interface Server {
  version: number;
  encoding: string;
  database: string;
  read_only: boolean;
  /** Where the setting comes from that makes it read-only. */
  source: string;
}

async function readServer(client: pg.Client): Promise<Server> {
  const { rows } = await client.query<Server>(
    `select current_setting('server_version_num')::integer as version, current_setting('server_encoding') as encoding,
       quote_ident(current_database()) as database, current_setting('transaction_read_only')::boolean as read_only,
       (select source from pg_settings where name = 'default_transaction_read_only') as source`,
  );
  return rows[0] as Server;
}

function problemOf(server: Server): string | undefined {
  const { version, encoding, database, read_only: readOnly, source } = server;
  if (version < oldestVersion) {
    return `has version ${Math.floor(version / 10_000)}, but 15 or later is needed`;
  }
  if (encoding !== "UTF8") {
    return `has the database ${database} in ${encoding}, but UTF8 is needed: create another, with: create database … encoding 'UTF8' template template0`;
  }
  // An administrator or a failover can end any other; this one comes from the URL.
  if (readOnly && source === "client") {
    return "gets default_transaction_read_only from the options in DATABASE_URL, but SmartCart writes: remove it there";
  }
  return undefined;
}

/** The error that PostgreSQL itself gives for a write. */
function readOnlyNow(): Error {
  return Object.assign(new Error("the server is read-only at the moment"), {
    code: sqlState.readOnly,
    severity: "ERROR",
  });
}

/**
 * A pooler must run in session mode: LISTEN, advisory locks and the search path belong to a session. In any other mode a transaction of
 * a second client gets the server connection that the first one has just used, or the first one gets another one meanwhile.
 */
async function proveSession(url: string, client: pg.Client): Promise<void> {
  const before = await readSession(client);
  await using other = await connect(url);
  await other.query("begin").catch((cause) => {
    throw new Error(
      `a second connection is not served beside the first (${reasonOf(cause)}); a pooler needs more of them`,
      { cause },
    );
  });
  const taken = await readSession(other);
  const after = taken.pid === before.pid ? undefined : await readSession(client);
  if (after?.pid !== before.pid) {
    throw startError(
      url,
      "is a pooler that gives each transaction another connection, but LISTEN and advisory locks need one that stays: " +
        "set it to session mode (pool_mode = session), or name the PostgreSQL server itself",
    );
  }
  const kept = after.search_path === probeSchema && after.client_encoding === "UTF8";
  if (!kept || after.statement_timeout === "0") {
    throw startError(
      url,
      `does not keep what is set for a session: search_path is "${after.search_path}", statement_timeout ` +
        `${after.statement_timeout}, client_encoding ${after.client_encoding}; name the PostgreSQL server itself`,
    );
  }
}

interface Session {
  pid: number;
  search_path: string;
  statement_timeout: string;
  client_encoding: string;
}

async function readSession(client: pg.Client): Promise<Session> {
  const { rows } = await client.query<Session>(
    `select pg_backend_pid() as pid, current_setting('search_path') as search_path,
       current_setting('statement_timeout') as statement_timeout, current_setting('client_encoding') as client_encoding`,
  );
  return rows[0] as Session;
}

async function connect(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new DatabaseClient({
    connectionString: url,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  // without a listener, a connection lost between two statements ends the process
  client.on("error", () => {});
  const end = () => client.end().catch(() => {});
  await client.connect().catch(async (error) => {
    await end();
    throw error;
  });
  return Object.assign(client, { [Symbol.asyncDispose]: end });
}

function startError(url: string, problem: string): StartError {
  return new StartError(`DATABASE_URL: PostgreSQL at ${addressOf(url)} ${problem}`, {
    variable: "DATABASE_URL",
  });
}
