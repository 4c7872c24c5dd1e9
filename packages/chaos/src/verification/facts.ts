/** Stores what customers, watchers and queues recorded in schema `chaos`, for the queries of invariants.ts. */
import type { Queryable } from "@smartcart/store";
import type { Sighting } from "../load/watcher.ts";

/** The facts that the product's own tables do not contain. */
export interface Facts {
  readonly answers: readonly { key: string; operation: string; orderId: string; says: string }[];
  readonly unanswered: readonly { key: string; operation: string; orderId: string }[];
  readonly replays: readonly { key: string; orderId: string; isSame: boolean }[];
  readonly sightings: readonly (Sighting & { restSequence: number | undefined })[];
  /** Poison that was sent; the broker may have some that it did not confirm. */
  readonly poison: readonly { messageId: string; confirmed: boolean }[];
  readonly deadLetters: readonly { queue: string; messageId: string }[];
  /** Order ids of the lines in the shipping log, one for each line. */
  readonly startLines: readonly string[];
  readonly messagesWaiting: number;
  /** Stock adjustments that were acknowledged. */
  readonly adjustments: readonly { adjustmentId: string; productId: string; delta: number }[];
  /** Every price that a product had or may have had. Empty: no operator ran. */
  readonly prices: readonly { productId: string; priceMinor: string }[];
}

/** Drops schema `chaos` and creates it anew. */
export async function storeFacts(db: Queryable, facts: Facts): Promise<void> {
  for (const text of schema) await db.query({ text });
  const insert = (table: string, columns: string, rows: readonly unknown[]) =>
    db.query({
      text: `insert into chaos.${table} select * from jsonb_to_recordset($1::jsonb) as r(${columns})`,
      values: [JSON.stringify(rows)],
    });
  await insert(
    "answer",
    "key text, operation text, order_id text, says text",
    facts.answers.map(row),
  );
  await insert("unanswered", "key text, operation text, order_id text", facts.unanswered.map(row));
  await insert("replay", "key text, order_id text, is_same boolean", facts.replays.map(row));
  await insert(
    "watched",
    "order_id text, last_sequence int, rest_sequence int, gaps int, resyncs int, connections int",
    facts.sightings.map(row),
  );
  await insert("poison", "message_id text, confirmed boolean", facts.poison.map(row));
  await insert("dead_letter", "queue text, message_id text", facts.deadLetters.map(row));
  await insert("waiting", "messages int", [{ messages: facts.messagesWaiting }]);
  await insert(
    "adjustment",
    "adjustment_id text, product_id text, delta int",
    facts.adjustments.map(row),
  );
  await insert("price", "product_id text, price_minor bigint", facts.prices.map(row));
  await db.query({
    text: "insert into chaos.start_line select id, count(*) from unnest($1::text[]) as id group by id",
    values: [facts.startLines],
  });
}

const schema = [
  "drop schema if exists chaos cascade",
  "create schema chaos",
  "create table chaos.answer (key text, operation text, order_id text, says text)",
  "create table chaos.unanswered (key text, operation text, order_id text)",
  "create table chaos.replay (key text, order_id text, is_same boolean)",
  "create table chaos.watched (order_id text, last_sequence int, rest_sequence int, gaps int, resyncs int, connections int)",
  "create table chaos.poison (message_id text, confirmed boolean)",
  "create table chaos.dead_letter (queue text, message_id text)",
  "create table chaos.waiting (messages int)",
  "create table chaos.adjustment (adjustment_id text, product_id text, delta int)",
  "create table chaos.price (product_id text, price_minor bigint)",
  "create table chaos.start_line (order_id text, lines bigint)",
];

/** orderId → order_id */
function row(value: object): Record<string, unknown> {
  const columns = Object.entries(value).map(([name, field]) => [
    name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`),
    field,
  ]);
  return Object.fromEntries(columns);
}
