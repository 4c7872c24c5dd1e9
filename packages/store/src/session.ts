import type pg from "pg";

/** The server's `statement_timeout`, in milliseconds. */
export const statementTimeoutMs = 10_000;
const idleInTransactionTimeoutMs = 30_000;
/** Longest wait for the answer to what sets a new connection up. */
const setUpTimeoutMs = 5_000;

/** How statements are planned on a connection. */
export interface PlanningOptions {
  /**
   * Whether tables are read by an index wherever there is one, however small they are. A prepared statement is planned once: on a
   * table of a few rows by a sequential scan, which it would keep, and which becomes slower with each row, until PostgreSQL has
   * analysed the table. Default false, for readers of whole tables.
   */
  readonly avoidSequentialScans?: boolean | undefined;
}

/**
 * Sets up a new connection for that schema. By a statement and not by start-up parameters, which poolers reject or drop, and which
 * `?options=` in the URL would replace. Settings that the driver relies on are set too, since the role or the database may change them.
 */
export async function setUpSession(
  client: pg.ClientBase,
  schema: string,
  { avoidSequentialScans = false }: PlanningOptions = {},
): Promise<void> {
  const settings = {
    search_path: schema,
    statement_timeout: String(statementTimeoutMs),
    idle_in_transaction_session_timeout: String(idleInTransactionTimeoutMs),
    client_encoding: "UTF8",
    datestyle: "ISO, MDY",
    ...(avoidSequentialScans && { enable_seqscan: "off" }),
  };
  await client.query({
    text: `select set_config(name, value, false) from unnest($1::text[], $2::text[]) as t(name, value)`,
    values: [Object.keys(settings), Object.values(settings)],
    query_timeout: setUpTimeoutMs,
  } as pg.QueryConfig);
}
