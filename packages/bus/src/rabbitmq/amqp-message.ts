import type { AsyncMessage, Envelope, SyncMessage } from "rabbitmq-client";
import type { RawMessage } from "../message.ts";
import { protobufContentType } from "../message.ts";
import type { OutgoingEvent } from "../types.ts";

/** Header with the attempt, from 1; a foreign message without it is at its first. */
export const attemptHeader = "x-attempt";
/** Header of a dead letter: why it was given up. */
export const reasonHeader = "x-reason";
/** Header of a dead letter: when, ISO 8601. */
export const failedAtHeader = "x-failed-at";
/** Header of a copy: the routing key of the first publish. */
const routingKeyHeader = "x-first-routing-key";

/** A message on its way to the broker. */
export interface OutgoingMessage {
  readonly envelope: Envelope;
  readonly body: Buffer;
}

/** An event for an exchange. */
export function toMessage(
  event: OutgoingEvent,
  o: { exchange: string; mandatory: boolean },
): OutgoingMessage {
  return {
    envelope: {
      exchange: o.exchange,
      routingKey: event.routingKey,
      mandatory: o.mandatory,
      durable: true,
      contentType: protobufContentType,
      type: event.type,
      messageId: event.id,
      headers: { [attemptHeader]: 1, ...traceHeader(event.traceparent) },
    },
    body: Buffer.from(event.body.buffer, event.body.byteOffset, event.body.byteLength),
  };
}

/** A copy of a received message: what its sender set stays, `headers` are added. */
export function copyOf(
  message: AsyncMessage | SyncMessage,
  to: { exchange: string; routingKey: string },
  headers: Readonly<Record<string, string | number>>,
): OutgoingMessage {
  const raw = toRaw(message);
  const { contentType, contentEncoding, type, messageId, correlationId, timestamp } = message;
  const kept = { contentType, contentEncoding, type, messageId, correlationId, timestamp };
  return {
    envelope: {
      ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)),
      ...to,
      mandatory: true,
      durable: true,
      headers: { ...customHeaders(message), [routingKeyHeader]: raw.routingKey, ...headers },
    },
    body: Buffer.from(raw.body),
  };
}

/** The parts of a received message that the bus looks at. */
export function toRaw(message: AsyncMessage | SyncMessage): RawMessage {
  const headers = message.headers ?? {};
  return {
    id: message.messageId ?? "",
    type: message.type ?? "",
    routingKey: textOf(headers[routingKeyHeader]) || message.routingKey,
    traceparent: textOf(headers.traceparent),
    attempt: Math.max(1, Number(headers[attemptHeader]) || 1),
    contentType: message.contentType ?? "",
    body: bytesOf(message.body),
  };
}

/** Deliveries of this message that ended without an answer; a quorum queue counts them. */
export function failedDeliveries(message: AsyncMessage): number {
  return Number(message.headers?.["x-delivery-count"]) || 0;
}

/** The broker writes its own headers anew; sent along they would count from where they were. */
function customHeaders(message: AsyncMessage | SyncMessage): Record<string, unknown> {
  const own = /^x-(delivery-count|acquired-count|death|first-death-|last-death-)/;
  return Object.fromEntries(
    Object.entries(message.headers ?? {}).filter(([name]) => !own.test(name)),
  );
}

/** The client has turned text and JSON bodies of foreign messages into values already. */
function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function traceHeader(traceparent: string): Record<string, string> {
  return traceparent === "" ? {} : { traceparent };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
