import type { LogFilter } from "@smartcart/gen/log/v1/log_service_pb";
import type { Queryable } from "@smartcart/store";
import type { SearchPosition } from "./filter.ts";
import { toConditions } from "./filter.ts";
import type { StoredRecord } from "./record.ts";

// All statements of the service.

/** A record that was read, with its place in the table. */
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

const selectRecords = `select position, record_id, occurred_at, severity, service, event, message,
  order_id, trace_id, attributes from log_record`;

/**
 * Stores records in the order given, except those that are stored already; answers how many were new. Writers take turns by
 * an advisory lock that is held until their commit; without it a row could become visible after one with a higher position,
 * and a reader who had passed by would never see it. The lock lives and dies with this one statement: run it on its own.
 */
export async function insertRecords(
  db: Queryable,
  records: readonly StoredRecord[],
): Promise<number> {
  const { rowCount } = await db.query({
    name: "log.insert",
    text: `with turn as materialized (
        select pg_advisory_xact_lock(hashtext('smartcart.log.insert'), hashtext(current_schema()))
      )
      insert into log_record (record_id, occurred_at, severity, service, event, message, order_id,
        trace_id, attributes)
      select record_id, occurred_at, severity, service, event, message, order_id, trace_id, attributes
      from turn cross join unnest($1::text[], $2::timestamptz[], $3::smallint[], $4::text[],
        $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) with ordinality
        as line (record_id, occurred_at, severity, service, event, message, order_id, trace_id,
          attributes, nr)
      order by nr
      on conflict (record_id) do nothing`,
    values: [
      records.map((record) => record.recordId),
      records.map((record) => record.occurredAt),
      records.map((record) => record.severity),
      records.map((record) => record.service),
      records.map((record) => record.event),
      records.map((record) => record.message),
      records.map((record) => record.orderId),
      records.map((record) => record.traceId),
      records.map((record) => record.attributes),
    ],
  });
  return rowCount;
}

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
export async function searchRecords(
  db: Queryable,
  filter: LogFilter | undefined,
  after: SearchPosition | undefined,
  limit: number,
): Promise<FoundRecord[]> {
  const { sql, values } = toConditions(filter);
  const next = values.length + 1;
  const paging = after ? ` and (occurred_at, position) < ($${next + 1}, $${next + 2})` : "";
  const { rows } = await db.query<RecordRow>({
    text: `${selectRecords} where ${sql.join(" and ")}${paging}
      order by occurred_at desc, position desc limit $${next}`,
    values: [...values, limit, ...(after ? [new Date(after.occurredAtMs), after.position] : [])],
  });
  return rows.map(toRecord);
}

/** The highest position stored; "0" where there is none. */
export async function readHead(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ head: string }>({
    name: "log.head",
    text: "select coalesce(max(position), 0) as head from log_record",
  });
  return rows[0]?.head ?? "0";
}

/** Reads up to `limit` matching records after one position and up to another, if given, in the order of storing. */
export async function readForward(
  db: Queryable,
  filter: LogFilter | undefined,
  range: { readonly after: string; readonly upTo?: string },
  limit: number,
): Promise<FoundRecord[]> {
  return await readInOrder(db, filter, range, { direction: "asc", limit });
}

/** Reads the newest `limit` matching records of a range, in the order of storing. */
export async function readBacklog(
  db: Queryable,
  filter: LogFilter | undefined,
  range: { readonly after: string; readonly upTo: string },
  limit: number,
): Promise<FoundRecord[]> {
  return (await readInOrder(db, filter, range, { direction: "desc", limit })).reverse();
}

async function readInOrder(
  db: Queryable,
  filter: LogFilter | undefined,
  range: { readonly after: string; readonly upTo?: string },
  page: { readonly direction: "asc" | "desc"; readonly limit: number },
): Promise<FoundRecord[]> {
  const { sql, values } = toConditions(filter, [
    ["position > ?", range.after],
    ...(range.upTo === undefined ? [] : ([["position <= ?", range.upTo]] as const)),
  ]);
  const { rows } = await db.query<RecordRow>({
    text: `${selectRecords} where ${sql.join(" and ")}
      order by position ${page.direction} limit $${values.length + 1}`,
    values: [...values, page.limit],
  });
  return rows.map(toRecord);
}

/** Deletes up to `limit` records that occurred before an instant, the oldest first; answers how many. */
export async function deleteOlder(db: Queryable, before: Date, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: "log.delete_older",
    text: `delete from log_record where position = any (array(
        select position from log_record where occurred_at < $1 order by occurred_at limit $2))`,
    values: [before, limit],
  });
  return rowCount;
}

/** How much is stored, roughly: by positions, and by the size of rows on a sample of the table's pages. */
export interface StoredSize {
  /** A bigint as text; "0" where there is no record. */
  readonly oldest: string;
  readonly records: number;
  /** Bytes of one record, without its index entries. */
  readonly bytesPerRecord: number;
}

/** Reads how much is stored, at the same cost whatever that is. */
export async function readStoredSize(db: Queryable, samplePages: number): Promise<StoredSize> {
  const { rows } = await db.query<{ oldest: string; records: string; bytes: number }>({
    name: "log.stored_size",
    text: `select coalesce(min(position), 0) as oldest,
        coalesce(max(position) - min(position) + 1, 0) as records,
        (select coalesce(avg(pg_column_size(sample)), 0)::float8 from log_record as sample
          tablesample system (least(100, 100.0 * $1::int * current_setting('block_size')::int
            / greatest(1, pg_relation_size('log_record'))))) as bytes
      from log_record`,
    values: [samplePages],
  });
  const { oldest = "0", records = "0", bytes = 0 } = rows[0] ?? {};
  return { oldest, records: Number(records), bytesPerRecord: bytes };
}

/** Deletes up to `limit` records before a position, the oldest first; answers how many. */
export async function deleteBefore(
  db: Queryable,
  position: string,
  limit: number,
): Promise<number> {
  const { rowCount } = await db.query({
    name: "log.delete_before",
    text: `delete from log_record where position = any (array(
        select position from log_record where position < $1 order by position limit $2))`,
    values: [position, limit],
  });
  return rowCount;
}

function toRecord(row: RecordRow): FoundRecord {
  return {
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
  };
}
