import { createHash } from "node:crypto";
import type { EventType, QueueType } from "@smartcart/contract";
import { eventTypeByRoutingKey, protobufContentType, readEvent } from "@smartcart/contract";
import type { Delivery } from "./types.ts";

/** A message as the engine stored it; any part may be missing when a foreign client put it in. */
export interface RawMessage {
  /** "" where the publisher gave none. */
  readonly id: string;
  /** Full message name; "" where the publisher gave none. */
  readonly type: string;
  readonly routingKey: string;
  readonly traceparent: string;
  /** From 1. */
  readonly attempt: number;
  /** "" where the publisher gave none. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** An `x-attempt` beyond this is invalid. */
const mostAttempts = 1_000_000;

/** The attempt in a message's header, which any client may have written; 1 where it is not a valid number. */
export function attemptOf(claim: unknown): number {
  const attempt = typeof claim === "number" ? Math.trunc(claim) : Number.NaN;
  return attempt >= 1 ? Math.min(attempt, mostAttempts) : 1;
}

/**
 * The time that a dead letter claims to have failed at, in ISO 8601; undefined where that is no time
 * of the years 1970 to 9999.
 */
export function failureTimeOf(claim: unknown): Date | undefined {
  if (typeof claim !== "string") return undefined;
  const date = new Date(claim);
  const ms = date.getTime();
  return ms >= 0 && ms < Date.UTC(10_000, 0) ? date : undefined;
}

/** The reason why a message cannot be passed to a handler. */
export interface Poison {
  readonly poison: string;
}

/**
 * The delivery that a handler receives, or the reason why the message is a dead letter.
 *
 * A foreign client need not set all properties: a missing type is taken from the routing key, or
 * from the queue where that takes one type only; a missing id becomes a hash of type and body, so
 * that a redelivered copy keeps its id. Since almost any short text is valid protobuf, a message
 * without its ordering key (the id of its order or other subject) is rejected as well.
 */
export function decodeMessage(queue: QueueType, raw: RawMessage): Delivery | Poison {
  if (raw.contentType !== "" && raw.contentType !== protobufContentType) {
    return { poison: `content type is ${raw.contentType}, not ${protobufContentType}` };
  }
  const type = typeOf(queue, raw);
  if (type === undefined) {
    return { poison: `type "${raw.type}" is none of queue ${queue.name}` };
  }
  const read = readEvent(type.desc, raw.body);
  if ("invalidReason" in read) return { poison: read.invalidReason };
  const { attempt } = raw;
  const typeName = type.desc.typeName;
  const traceparent = isStorable(raw.traceparent) ? raw.traceparent : "";
  return { id: idOf(raw, typeName), type: typeName, attempt, traceparent, message: read.event };
}

/**
 * Ids and trace contexts of foreign messages are stored. PostgreSQL rejects NUL, and every invalid
 * byte of UTF-8 becomes the same U+FFFD, so that two different ids could become equal.
 */
function isStorable(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.length <= 255 && !/[\x00-\x1f\x7f\ufffd]/.test(text);
}

/** The message's id, or a hash that stands for it where there is none that can be stored. */
export function idOf(
  raw: Pick<RawMessage, "id" | "type" | "body">,
  type: string = raw.type,
): string {
  if (raw.id !== "" && isStorable(raw.id)) return raw.id;
  return `sha256:${createHash("sha256").update(type).update("\0").update(raw.body).digest("hex")}`;
}

function typeOf(queue: QueueType, raw: RawMessage): EventType | undefined {
  if (raw.type !== "") return queue.events.find((type) => type.desc.typeName === raw.type);
  if (queue.events.length === 1) return queue.events[0];
  return eventTypeByRoutingKey(raw.routingKey, queue.events);
}
