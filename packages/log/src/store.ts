import type { Database, Queryable } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { StoredRecord } from "./record.ts";

// The statements that write; `read-records.ts` has those that read.

/** Most records in one statement; a batch holds 4,000. */
const chunkSize = 2000;

const columns = [
  ["record_ids", "text[]"],
  ["times", "timestamptz[]"],
  ["severities", "smallint[]"],
  ["services", "text[]"],
  ["events", "text[]"],
  ["messages", "text[]"],
  ["order_ids", "text[]"],
  ["trace_ids", "text[]"],
  ["attributes", "text[]"],
] as const;

/** The parameters $1 to $9: a column of each field, for all batches of the statement. */
const parametersOf = (records: readonly StoredRecord[]) => [
  records.map((record) => record.recordId),
  records.map((record) => record.occurredAt),
  records.map((record) => record.severity),
  records.map((record) => record.service),
  records.map((record) => record.event),
  records.map((record) => record.message),
  records.map((record) => record.orderId),
  records.map((record) => record.traceId),
  records.map((record) => record.attributes),
];

/** The part of a parameter that belongs to the batch `part`. */
const slice = (number: number) =>
  `($${number}::${columns[number - 1]?.[1]})[part.first_line:part.last_line]`;

/** Stores records, those of a second in the order given, except those that are stored already; answers how many were new. */
export async function insertRecords(
  db: Database,
  records: readonly StoredRecord[],
): Promise<number> {
  let inserted = 0;
  for (let start = 0; start < records.length; start += chunkSize) {
    const chunk = records.slice(start, start + chunkSize);
    inserted += await withTransaction(db, "log.insert", (tx) => insertInTurn(tx, chunk));
  }
  return inserted;
}

/**
 * The same for up to 2,000 records, in a transaction. A record is told by its id, among those of its second. Writers take turns
 * by an advisory lock that is held until their commit; without it a batch could become visible after a later one, and a reader who
 * had passed by would never see it.
 */
export async function insertInTurn(
  tx: Queryable,
  records: readonly StoredRecord[],
): Promise<number> {
  // A statement of its own: the next one sees what was committed while this one waited.
  await tx.query({
    name: "log.take_turn",
    text: "select pg_advisory_xact_lock(hashtext('smartcart.log.insert'), hashtext(current_schema()))",
  });
  const sorted = [...new Map(records.map((record) => [record.recordId, record])).values()].sort(
    (one, other) => secondOf(one) - secondOf(other),
  );
  if (await insertNew(tx, sorted)) return sorted.length;
  const known = await readKnown(tx, sorted);
  const rest = sorted.filter(({ recordId }) => !known.has(recordId));
  if (rest.length > 0) await insertNew(tx, rest);
  return rest.length;
}

/** Inserts records, sorted by second; false, and nothing is stored, where one of them is stored already. */
async function insertNew(tx: Queryable, records: readonly StoredRecord[]): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: "log.insert",
    text: `insert into log_batch (second, stored_on, lines, highest_severity, writers, keys,
        ${columns.map(([name]) => name).join(", ")})
      select second, today, last_line - first_line + 1, (select max(s) from unnest(${slice(3)}) s),
        array(select distinct s from unnest(${slice(4)}) s),
        array(select distinct log_key(id, today) from unnest(${slice(7)} || ${slice(8)}) id where id <> ''),
        ${columns.map((_, index) => slice(index + 1)).join(", ")}
      from unnest($10::timestamptz[], $11::int[], $12::int[]) as part (second, first_line, last_line),
        (select (extract(epoch from now())::bigint / 86400)::int as today) day
      where not exists (
        select from (select unnest(record_ids) as id from log_batch where second = any ($10)) known
        join unnest($1::text[]) as mine (id) using (id))
      order by second`,
    values: [...parametersOf(records), ...partsOf(records)],
  });
  return rowCount > 0;
}

async function readKnown(tx: Queryable, records: readonly StoredRecord[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ id: string }>({
    name: "log.known",
    text: `select id from (select unnest(record_ids) as id from log_batch where second = any ($1)) known
      join unnest($2::text[]) as mine (id) using (id)`,
    values: [partsOf(records)[0], records.map(({ recordId }) => recordId)],
  });
  return new Set(rows.map(({ id }) => id));
}

/** Seconds of sorted records, with the first and the last record of each, from 1. */
function partsOf(records: readonly StoredRecord[]): [Date[], number[], number[]] {
  const [seconds, firsts, lasts]: [Date[], number[], number[]] = [[], [], []];
  records.forEach((record, index) => {
    const second = secondOf(record);
    if (seconds.at(-1)?.getTime() !== second) {
      seconds.push(new Date(second));
      firsts.push(index + 1);
      lasts.push(index + 1);
    }
    lasts[lasts.length - 1] = index + 1;
  });
  return [seconds, firsts, lasts];
}

function secondOf({ occurredAt }: StoredRecord): number {
  return Math.floor(occurredAt.getTime() / 1000) * 1000;
}

/** What was deleted. */
export interface Deleted {
  readonly batches: number;
  readonly records: number;
}

/** Deletes up to `limit` batches whose records all occurred before an instant, the oldest first. */
export function deleteOlder(db: Queryable, before: Date, limit: number): Promise<Deleted> {
  return remove(db, {
    name: "log.delete_older",
    condition: "second <= $1::timestamptz - interval '1 second' order by second",
    values: [before, limit],
  });
}

/** Deletes up to `limit` batches before one, the oldest first. */
export function deleteBefore(db: Queryable, batch: string, limit: number): Promise<Deleted> {
  return remove(db, {
    name: "log.delete_before",
    condition: "batch < $1 order by batch",
    values: [batch, limit],
  });
}

async function remove(
  db: Queryable,
  o: { readonly name: string; readonly condition: string; readonly values: readonly unknown[] },
): Promise<Deleted> {
  const { rows } = await db.query<{ batches: number; records: number }>({
    name: o.name,
    text: `with deleted as (
        delete from log_batch where batch = any (array(
          select batch from log_batch where ${o.condition} limit $2)) returning lines)
      select count(*)::int as batches, coalesce(sum(lines), 0)::int as records from deleted`,
    values: o.values,
  });
  return rows[0] ?? { batches: 0, records: 0 };
}

/** How much is stored, roughly: by the numbers of batches, and by the size of those on a sample of the table's pages. */
export interface StoredSize {
  /** Number of the oldest batch, a bigint as text; "0" where there is none. */
  readonly oldest: string;
  readonly batches: number;
  /** Bytes of a batch, compressed, without its index entries. */
  readonly bytesPerBatch: number;
  /** Orders and traces in the index of a batch. */
  readonly keysPerBatch: number;
}

/** Reads how much is stored, at a constant cost. */
export async function readStoredSize(db: Queryable, samplePages: number): Promise<StoredSize> {
  const size = columns.map(([name]) => `pg_column_size(${name})`).join(" + ");
  const { rows } = await db.query<{ oldest: string; batches: string; bytes: number; keys: number }>(
    {
      name: "log.stored_size",
      text: `select coalesce(min(batch), 0) as oldest, coalesce(max(batch) - min(batch) + 1, 0) as batches,
        (select coalesce(avg(${size}), 0)::float8 from log_batch tablesample system (percent)) as bytes,
        (select coalesce(avg(cardinality(keys)), 0)::float8 from log_batch tablesample system (percent)) as keys
      from log_batch`.replaceAll(
        "percent",
        `least(100, 100.0 * $1::int * current_setting('block_size')::int
          / greatest(1, pg_relation_size('log_batch')))`,
      ),
      values: [samplePages],
    },
  );
  const { oldest = "0", batches = "0", bytes = 0, keys = 0 } = rows[0] ?? {};
  return { oldest, batches: Number(batches), bytesPerBatch: bytes, keysPerBatch: keys };
}
