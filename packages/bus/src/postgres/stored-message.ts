import type { JsonValue } from "@bufbuild/protobuf";
import { protobufContentType } from "@smartcart/contract";
import type { RawMessage } from "../message.ts";
import { attemptOf } from "../message.ts";
import type { OutgoingEvent } from "../types.ts";

/** A message as it lies in the database, in JSON. */
export interface StoredMessage {
  readonly id: string;
  readonly type: string;
  readonly routingKey: string;
  readonly traceparent: string;
  readonly attempt: number;
  /** The protobuf body in base64. */
  readonly body: string;
  /** Of a dead letter: why it was given up. */
  readonly reason?: string;
  /** Of a dead letter: when, ISO 8601. */
  readonly failedAt?: string;
  /** Set where it is not protobuf. */
  readonly contentType?: string;
}

/**
 * What a job of the queue carries: the messages of one publish, in order. Many in one job cost
 * little more than one.
 */
export interface JobData {
  readonly messages: readonly StoredMessage[];
}

/** An event as it is stored at its first publish. */
export function toStored(event: OutgoingEvent): StoredMessage {
  const { id, type, routingKey, traceparent, body } = event;
  const base64 = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("base64");
  return { id, type, routingKey, traceparent, attempt: 1, body: base64 };
}

/**
 * The messages of a job, whoever wrote it: what is no message of ours comes back as one that cannot
 * be decoded.
 */
export function messagesOf(data: unknown): StoredMessage[] {
  const messages = (data as { messages?: unknown } | null)?.messages;
  if (!Array.isArray(messages) || messages.length === 0) return [foreign(data)];
  return messages.map((message) => (isStored(message) ? message : foreign(message)));
}

/** The message in the form that both engines share. */
export function toRaw(stored: StoredMessage): RawMessage {
  const { id, type, routingKey, traceparent } = stored;
  const { contentType = protobufContentType } = stored;
  const body = Buffer.from(stored.body, "base64");
  const attempt = attemptOf(stored.attempt);
  return { id, type, routingKey, traceparent, attempt, contentType, body };
}

function isStored(value: unknown): value is StoredMessage {
  const { id, type, body, attempt, routingKey, traceparent } = (value ?? {}) as StoredMessage;
  const texts = [id, type, body, routingKey, traceparent];
  return texts.every((text) => typeof text === "string") && Number.isInteger(attempt);
}

/** What a foreign writer put into a message beside what we know; it stays there, whatever it is. */
export function foreignFieldsOf(stored: StoredMessage): Record<string, JsonValue> {
  const { id: _id, type: _type, routingKey: _key, traceparent: _trace, ...rest } = stored;
  const { attempt: _attempt, body: _body, reason: _reason, failedAt: _at, ...foreign } = rest;
  return foreign as Record<string, JsonValue>;
}

function foreign(value: unknown): StoredMessage {
  const body = Buffer.from(JSON.stringify(value ?? null)).toString("base64");
  const contentType = "application/json";
  return { id: "", type: "", routingKey: "", traceparent: "", attempt: 1, body, contentType };
}
