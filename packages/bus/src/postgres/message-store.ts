/** The SQL of the queue's messages. All of it runs in schema `queue`, made by `migrations/queue`. */
import type { QueueType } from "@smartcart/contract";
import { eventTypes } from "@smartcart/contract";
import type { Queryable } from "@smartcart/store";
import { sqlStateOf } from "@smartcart/store";
import type { RawMessage } from "../message.ts";
import type { Step } from "../message-processor.ts";
import type { OutgoingEvent } from "../types.ts";

/** The NOTIFY channel: the payload is a queue with new messages, or `fanout:<event type>`. */
export const wakeChannel = "smartcart_queue";

/** The queue of messages that wait for a retry; the same name as on RabbitMQ. */
export const retryQueue = (queue: QueueType) => `${queue.name}.retry`;
/** The queue of the dead letters; the same name as on RabbitMQ. */
export const deadLetterQueue = (queue: QueueType) => `${queue.name}.dlq`;

/** Stores the events in the queues of their types and for their subscribers, in one transaction, and notifies them. */
export async function storeMessages(
  db: Queryable,
  events: readonly OutgoingEvent[],
): Promise<void> {
  const copies = events.flatMap((event) => {
    const [first = null, ...others] = eventTypes.get(event.type)?.queues ?? [];
    const copy = (queue: string | null, isFirst: boolean) => ({ event, queue, isFirst });
    return [copy(first, true), ...others.map((queue) => copy(queue, false))];
  });
  await db.query({
    name: "queue-publish",
    text: "select publish($1, $2, $3, $4, $5, $6, $7)",
    values: [
      wakeChannel,
      copies.map(({ queue }) => queue),
      copies.map(({ isFirst }) => isFirst),
      copies.map(({ event }) => event.id),
      copies.map(({ event }) => event.type),
      copies.map(({ event }) => event.traceparent),
      copies.map(({ event }) => event.body),
    ],
  });
}

/** A message that a consumer has claimed. */
export interface ClaimedMessage {
  /** A bigint as text. */
  readonly position: string;
  /** Deliveries of this attempt whose consumer died. */
  readonly deliveries: number;
  readonly raw: RawMessage;
}

/** A batch and what was decided for each of its messages, by position. */
export interface Settlement {
  readonly messages: readonly ClaimedMessage[];
  readonly steps: readonly Step[];
}

/** The claim was released meanwhile, since the consumer counted as dead. */
export class LostClaimError extends Error {
  readonly code = "BUS_CLAIM_LOST";
}

/** Options of `receive`. */
interface ReceiveOptions {
  readonly queue: QueueType;
  /** A UUID. */
  readonly consumer: string;
  /** The number of its bus; see `ListenConnection`. */
  readonly instance: number;
  /** Most messages to claim; 0 settles only. */
  readonly maxMessages: number;
  /** The current batch. */
  readonly settlement: Settlement | undefined;
}

/** The claimed messages; without any, `dueInMs` is the time until the next delayed one is due. */
export interface Received {
  readonly messages: readonly ClaimedMessage[];
  readonly dueInMs: number | undefined;
}

/**
 * Settles the current batch and claims the next one, oldest first, in one statement. A message whose consumer died before is claimed
 * alone. Throws a LostClaimError, and changes nothing, where the claim on the current batch was lost.
 */
export async function receive(db: Queryable, o: ReceiveOptions): Promise<Received> {
  const settled = o.settlement && settlementColumns(o.queue, o.settlement);
  try {
    const { rows } = await db.query<ReceivedRow>({
      name: "queue-receive",
      text: `select position::text, deliveries, due_in_ms, ${messageColumns}
             from receive($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      values: [o.queue.name, o.consumer, o.instance, o.maxMessages, ...(settled ?? nothingInHand)],
    });
    const messages = rows.flatMap(({ position, deliveries, due_in_ms: _, ...raw }) =>
      position === null ? [] : [{ position, deliveries, raw }],
    );
    return { messages, dueInMs: messages.length > 0 ? undefined : rows[0]?.due_in_ms };
  } catch (error) {
    if (sqlStateOf(error) !== "SC001") throw error;
    throw new LostClaimError((error as Error).message, { cause: error });
  }
}

const nothingInHand = Array<null>(6).fill(null);

/** Positions to delete, and those to move: where to, at which attempt, after which pause, and why. */
function settlementColumns(queue: QueueType, { messages, steps }: Settlement): unknown[] {
  const acked: string[] = [];
  const moved: string[] = [];
  const columns: [string[], number[], (number | null)[], string[]] = [[], [], [], []];
  for (const [index, { position, raw }] of messages.entries()) {
    const step = steps[index];
    if (step === undefined || step.kind === "remove") {
      acked.push(position);
      continue;
    }
    moved.push(position);
    const isRetry = step.kind === "retry";
    columns[0].push(isRetry ? retryQueue(queue) : deadLetterQueue(queue));
    columns[1].push(isRetry ? step.attempt : raw.attempt);
    columns[2].push(isRetry ? step.delayMs : null);
    // PostgreSQL takes no NUL.
    columns[3].push(step.reason.replaceAll("\0", "\ufffd"));
  }
  return [acked, moved, ...columns];
}

/** Messages waiting, by queue; claimed ones are not counted. */
export async function countMessages(
  db: Queryable,
): Promise<{ readonly queue: string; readonly messages: number }[]> {
  const { rows } = await db.query<{ queue: string; messages: number }>({
    text: `select queue, count(*)::integer as messages from message
           where (queue, position) not in (select queue, unnest(positions) from claim) group by queue`,
  });
  return rows;
}

/** Time since the message that waits longest in each of the queues was published, in milliseconds; one row of each is read. */
export async function oldestMessages(
  db: Queryable,
  queues: readonly string[],
): Promise<Record<string, number>> {
  const { rows } = await db.query<{ queue: string; age_ms: number }>({
    text: `select q.queue, extract(epoch from clock_timestamp() - oldest.published_at)::float8 * 1000 as age_ms
           from unnest($1::text[]) as q (queue), lateral (
             select published_at from message m
             where m.queue = q.queue
               and m.position not in (select unnest(positions) from claim c where c.queue = q.queue)
             order by position limit 1) oldest`,
    values: [queues],
  });
  return Object.fromEntries(rows.map(({ queue, age_ms }) => [queue, Math.max(0, age_ms)]));
}

/** Rejects where the database does not answer or the tables of the queue are missing. */
export async function probe(db: Queryable): Promise<void> {
  await db.query({ text: "select from message limit 0" });
}

/** The columns of a message in the form that both engines share. An attempt may be any number that another client wrote. */
export const messageColumns = `message_id as id, type, routing_key as "routingKey", traceparent,
  least(greatest(attempt, 1), 1000000) as attempt, content_type as "contentType", body`;

interface ReceivedRow extends RawMessage {
  readonly position: string | null;
  readonly deliveries: number;
  readonly due_in_ms: number;
}
