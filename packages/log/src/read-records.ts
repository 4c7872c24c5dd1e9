import type { LogFilter } from "@smartcart/gen/log/v1/log_service_pb";
import type { Queryable } from "@smartcart/store";
import type { Condition, SearchPosition } from "./filter.ts";
import { batchConditions, lineConditions, toSql } from "./filter.ts";
import type { StoredRecord } from "./record.ts";

// The statements that read. They pick batches by their indexes, some at a time, and look at the records of those.

/** A record that was read, with its place in the order of storing. */
export interface FoundRecord extends StoredRecord {
  /** A bigint as text. */
  readonly position: string;
}

interface RecordRow {
  position: string;
  record_id: string;
  occurred_at: Date;
  severity: FoundRecord["severity"];
  service: string;
  event: string;
  message: string;
  order_id: string;
  trace_id: string;
  attributes: string;
}

interface Batch {
  batch: string;
  second: Date;
  lines: number;
}

/** Which batches are read in which order, and which of their records count. */
interface Scan {
  readonly filter: LogFilter | undefined;
  readonly key: "batch" | "second";
  readonly direction: "asc" | "desc";
  /** Order of the records of some batches; it must go with that of the batches. */
  readonly recordOrder: string;
  readonly batches: readonly Condition[];
  readonly records: readonly Condition[];
  /** Looks at no more records than this, by whole batches. */
  readonly reach?: number;
}

/** Batches that are read first, and at most at once. */
const firstBatches = 4;
const mostBatches = 64;
/** Positions of a batch; see the view `log_record`. */
const positions = 4096n;

/**
 * Bounds what the statements of this transaction may cost: each is cancelled after so long, with SQLSTATE 57014, and none
 * takes more than one process of the database.
 */
export async function limitCost(tx: Queryable, timeoutMs: number): Promise<void> {
  await tx.query({
    name: "log.limit_cost",
    text: `select set_config('statement_timeout', $1, true),
      set_config('max_parallel_workers_per_gather', '0', true)`,
    values: [`${timeoutMs}`],
  });
}

/** Finds up to `limit` records that come after a position in the order of a search: newest first. */
export function searchRecords(
  db: Queryable,
  filter: LogFilter | undefined,
  after: SearchPosition | undefined,
  limit: number,
): Promise<FoundRecord[]> {
  const at = after && new Date(after.occurredAtMs);
  return scan(db, limit, {
    filter,
    key: "second",
    direction: "desc",
    recordOrder: "occurred_at desc, position desc",
    batches: at ? [["second <= ?", at]] : [],
    records: at ? [["(occurred_at, position) < (?, ?)", at, after.position]] : [],
  });
}

/** The highest position stored; "0" where there is none. */
export async function readHead(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ head: string }>({
    name: "log.head",
    text: `select batch * ${positions} + lines as head from log_batch order by batch desc limit 1`,
  });
  return rows[0]?.head ?? "0";
}

/** A range of positions, as bigints in text. */
export interface Range {
  readonly after: string;
  readonly upTo?: string;
}

/** Reads up to `limit` matching records of a range, the first of them, in the order of storing. */
export function readForward(
  db: Queryable,
  filter: LogFilter | undefined,
  range: Range,
  limit: number,
): Promise<FoundRecord[]> {
  return scan(db, limit, { filter, ...inOrder(range, "asc") });
}

/** Reads the newest `limit` matching records up to a position, in the order of storing, from the last `reach` records at most. */
export async function readBacklog(
  db: Queryable,
  filter: LogFilter | undefined,
  { upTo, reach }: { readonly upTo: string; readonly reach: number },
  limit: number,
): Promise<FoundRecord[]> {
  const range = { after: "0", upTo };
  return (await scan(db, limit, { filter, ...inOrder(range, "desc"), reach })).reverse();
}

function inOrder({ after, upTo }: Range, direction: "asc" | "desc") {
  const batchOf = (position: string) => `${BigInt(position) / positions}`;
  return {
    key: "batch" as const,
    direction,
    recordOrder: `position ${direction}`,
    batches: [
      ["batch >= ?", batchOf(after)],
      ...(upTo === undefined ? [] : ([["batch <= ?", batchOf(upTo)]] as const)),
    ] as const,
    records: [
      ["position > ?", after],
      ...(upTo === undefined ? [] : ([["position <= ?", upTo]] as const)),
    ] as const,
  };
}

async function scan(db: Queryable, limit: number, o: Scan): Promise<FoundRecord[]> {
  const found: FoundRecord[] = [];
  let left = o.reach ?? Number.POSITIVE_INFINITY;
  let last: Batch | undefined;
  for (let size = firstBatches; ; size = Math.min(2 * size, mostBatches)) {
    const batches = await readBatches(db, o, last, size);
    last = batches.at(-1);
    if (last === undefined) return found;
    found.push(...(await readRecords(db, o, batches, limit - found.length)));
    left -= batches.reduce((sum, { lines }) => sum + lines, 0);
    if (found.length >= limit || left <= 0 || batches.length < size) return found;
  }
}

/** The next batches: `size`, and those that share the second of the last one. */
async function readBatches(
  db: Queryable,
  { filter, key, direction, batches }: Scan,
  last: Batch | undefined,
  size: number,
): Promise<Batch[]> {
  const { indexed, others } = batchConditions(filter);
  const passed: Condition[] = last
    ? [[`${key} ${direction === "asc" ? ">" : "<"} ?`, last[key]]]
    : [];
  // What the index of orders and traces finds is little: it is not looked for by going through all batches in order.
  const { sql, values } = toSql([...indexed, ...batches, ...others, ...passed]);
  const { rows } = await db.query<Batch>({
    text: `with found as ${indexed.length > 0 ? "materialized" : "not materialized"} (
        select batch, second, lines from log_batch where ${sql})
      select batch, second, lines from found
      order by ${key} ${direction} fetch first ${size} rows with ties`,
    values,
  });
  return rows;
}

async function readRecords(
  db: Queryable,
  { filter, recordOrder, records }: Scan,
  batches: readonly Batch[],
  limit: number,
): Promise<FoundRecord[]> {
  const { sql, values } = toSql([
    ["batch = any (?)", batches.map(({ batch }) => batch)],
    ...records,
    ...lineConditions(filter),
  ]);
  const { rows } = await db.query<RecordRow>({
    text: `select position, record_id, occurred_at, severity, service, event, message, order_id, trace_id, attributes
      from log_record where ${sql} order by ${recordOrder} limit ${limit}`,
    values,
  });
  return rows.map((row) => ({
    position: row.position,
    recordId: row.record_id,
    occurredAt: row.occurred_at,
    severity: row.severity,
    service: row.service,
    event: row.event,
    message: row.message,
    orderId: row.order_id,
    traceId: row.trace_id,
    attributes: row.attributes,
  }));
}
