import { createHash } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { EventType, QueueType } from "./contract.ts";
import { eventTypeByRoutingKey } from "./contract.ts";
import type { Delivery } from "./types.ts";

/** The content type of every message we publish. */
export const protobufContentType = "application/protobuf";

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

/** A message that no handler can be asked about, and why. */
export interface Poison {
  readonly poison: string;
}

/**
 * What a handler gets to see of a message, or why it gets to see nothing.
 *
 * A foreign client need not set all properties: a missing type is taken from the routing key, or
 * from the queue where that takes one type only; a missing id becomes a hash of type and body, so
 * that a redelivered copy keeps its id. Since almost any short text is valid protobuf, a message
 * without its ordering key (the id of what it is about) is refused as well.
 */
export function decodeMessage(queue: QueueType, raw: RawMessage): Delivery | Poison {
  if (raw.contentType !== "" && raw.contentType !== protobufContentType) {
    return { poison: `content type is ${raw.contentType}, not ${protobufContentType}` };
  }
  const type = typeOf(queue, raw);
  if (type === undefined) {
    return { poison: `type "${raw.type}" is none of queue ${queue.name}` };
  }
  try {
    const message = fromBinary(type.desc, raw.body);
    const key = type.desc.fields.find((field) => field.name === type.orderingField);
    if (key !== undefined && reflect(type.desc, message).get(key) === "") {
      return { poison: `${key.name} is empty` };
    }
    const { attempt, traceparent } = raw;
    const typeName = type.desc.typeName;
    return { id: idOf(raw, typeName), type: typeName, attempt, traceparent, message };
  } catch (error) {
    return { poison: `body is no ${type.desc.typeName}: ${String(error)}` };
  }
}

/** The message's id, or a hash that stands for it. */
export function idOf(raw: RawMessage, type: string = raw.type): string {
  if (raw.id !== "") return raw.id;
  return `sha256:${createHash("sha256").update(type).update("\0").update(raw.body).digest("hex")}`;
}

function typeOf(queue: QueueType, raw: RawMessage): EventType | undefined {
  if (raw.type !== "") return queue.events.find((type) => type.desc.typeName === raw.type);
  if (queue.events.length === 1) return queue.events[0];
  return eventTypeByRoutingKey(raw.routingKey, queue.events);
}
