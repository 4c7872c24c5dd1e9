/** The cost of a run: CPU by process, and the work of PostgreSQL and RabbitMQ. */
import { readdir, readFile } from "node:fs/promises";
import pg from "pg";
import { cpuMsOf } from "@smartcart/testkit";
import type { Engines } from "./engines.ts";
import type { RunningProcess } from "./processes.ts";

/** Totals since an arbitrary start: only the difference of two readings means something. */
export interface Reading {
  /** CPU time by process, in milliseconds: user and system, ended children included. */
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly transactions: number;
  readonly statements: number;
  /** Rows inserted, updated and deleted. */
  readonly rows: number;
  readonly walBytes: number;
  /** Messages published to RabbitMQ and delivered by it. */
  readonly messages: number;
}

interface Metered {
  readonly processes: readonly RunningProcess[];
  /** Undefined: it has no database. */
  readonly databaseUrl: string | undefined;
  readonly engines: Engines;
}

export async function readMeters(o: Metered): Promise<Reading> {
  const database = o.databaseUrl === undefined ? noDatabase : await readDatabase(o.databaseUrl);
  const cpuMs: Record<string, number> = {};
  for (const { name, pid } of o.processes) cpuMs[name] = await cpuMsOf([pid]);
  cpuMs.postgres = await cpuMsOf(await o.engines.postgresPids());
  cpuMs.rabbitmq = await cpuMsOf(await o.engines.rabbitmqPids());
  return { cpuMs, ...database, messages: await readMessages(o.engines.managementUrl) };
}

/** What happened between two readings. */
export function difference(before: Reading, after: Reading): Reading {
  const cpuMs = Object.entries(after.cpuMs).map(
    ([name, ms]) => [name, ms - (before.cpuMs[name] ?? 0)] as const,
  );
  return {
    cpuMs: Object.fromEntries(cpuMs),
    transactions: after.transactions - before.transactions,
    statements: after.statements - before.statements,
    rows: after.rows - before.rows,
    walBytes: after.walBytes - before.walBytes,
    messages: after.messages - before.messages,
  };
}

/** Peak resident memory of some processes together, in bytes. */
export async function peakMemory(processes: readonly RunningProcess[]): Promise<number> {
  const texts = await Promise.all(
    processes.map(({ pid }) => readFile(`/proc/${pid}/status`, "utf8").catch(() => "")),
  );
  const kibibytes = texts.map((text) => Number(/^VmHWM:\s+(\d+)/m.exec(text)?.[1] ?? 0));
  return kibibytes.reduce((sum, value) => sum + value, 0) * 1_024;
}

const noDatabase = { transactions: 0, statements: 0, rows: 0, walBytes: 0 };

async function readDatabase(url: string): Promise<typeof noDatabase> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<keyof typeof noDatabase, string>>(`
      select xact_commit + xact_rollback as transactions,
             tup_inserted + tup_updated + tup_deleted as rows,
             pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as "walBytes",
             (select coalesce(sum(s.calls), 0) from pg_stat_statements s where s.dbid = d.datid) as statements
      from pg_stat_database d where datname = current_database()`);
    const [row] = rows;
    return {
      transactions: Number(row?.transactions),
      statements: Number(row?.statements),
      rows: Number(row?.rows),
      walBytes: Number(row?.walBytes),
    };
  } finally {
    await client.end();
  }
}

/** The statements that took the most of PostgreSQL's time since the database was made. */
export async function topStatements(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(`
      select calls, round(total_exec_time) as ms, rows, wal_bytes, regexp_replace(left(query, 110), '\\s+', ' ', 'g') as query
      from pg_stat_statements s join pg_database d on d.oid = s.dbid
      where datname = current_database() order by total_exec_time desc limit 25`);
    return rows
      .map(
        (r) => `${r.ms} ms, ${r.calls} calls, ${r.rows} rows, ${r.wal_bytes} WAL bytes: ${r.query}`,
      )
      .join("\n");
  } finally {
    await client.end();
  }
}

async function readMessages(managementUrl: string): Promise<number> {
  const url = new URL("/api/overview", managementUrl);
  const authorization = `Basic ${btoa(`${url.username}:${url.password}`)}`;
  url.username = "";
  url.password = "";
  const response = await fetch(url, { headers: { authorization } });
  const { message_stats: stats } = (await response.json()) as {
    message_stats?: { publish?: number; deliver_get?: number };
  };
  return (stats?.publish ?? 0) + (stats?.deliver_get ?? 0);
}

/** CPU time of a process and its threads, to the nanosecond: a process that hardly runs takes less than a tick at a time. */
export async function cpuNanoseconds(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const texts = await Promise.all(
    threads.map((id) => readFile(`/proc/${pid}/task/${id}/schedstat`, "utf8").catch(() => "")),
  );
  return texts.reduce((sum, text) => sum + Number(text.split(" ")[0] || 0), 0);
}
