import { protobufContentType } from "@smartcart/contract";
import type { RawMessage } from "../message.ts";
import { attemptOf, failureTimeOf, idOf } from "../message.ts";
import type { DeadLetter, OutgoingEvent } from "../types.ts";
import type { Header } from "./amqp-table.ts";
import {
  dateOfSeconds,
  firstEntriesOf,
  intHeader,
  secondsOf,
  shownTable,
  shownValue,
  textHeader,
  textOf,
} from "./amqp-table.ts";
import type { RawPublish } from "./frames.ts";
import {
  attemptHeader,
  failedAtHeader,
  firstRoutingKeyOf,
  headerOf,
  reasonHeader,
  sentBy,
} from "./message-copy.ts";
import type { Properties } from "./properties.ts";
import { propertyText, shortString, shownProperties, writeProperties } from "./properties.ts";
import type { ReceivedMessage } from "./raw-connection.ts";

/** An event for an exchange. */
export function toMessage(
  event: OutgoingEvent,
  o: { exchange: string; mandatory: boolean },
): RawPublish {
  return {
    ...o,
    routingKey: event.routingKey,
    properties: propertiesOf(event),
    body: Buffer.from(event.body.buffer, event.body.byteOffset, event.body.byteLength),
  };
}

const protobuf = shortString(protobufContentType);
const firstAttempt = intHeader(attemptHeader, 1);
const persistent = Buffer.from([2]);

function propertiesOf({ id, type, traceparent }: OutgoingEvent): Buffer {
  const timestamp = Buffer.alloc(8);
  timestamp.writeUInt32BE(Math.floor(Date.now() / 1_000), 4);
  return writeProperties({
    fields: new Map([
      ["contentType", protobuf],
      ["deliveryMode", persistent],
      ["messageId", shortString(id)],
      ["timestamp", timestamp],
      ["type", shortString(type)],
    ]),
    headers:
      traceparent === "" ? [firstAttempt] : [firstAttempt, textHeader("traceparent", traceparent)],
  });
}

/** The fields of a received message that the bus reads. Never throws, whatever the sender wrote. */
export function toRaw(message: ReceivedMessage): RawMessage {
  const { properties, body } = message;
  const trace = headerOf(properties, "traceparent");
  return {
    id: propertyText(properties, "messageId"),
    type: propertyText(properties, "type"),
    routingKey: firstRoutingKeyOf(message),
    traceparent: (trace && textOf(trace)) ?? "",
    attempt: attemptOf(valueOfHeader(properties, attemptHeader)),
    contentType: propertyText(properties, "contentType"),
    body,
  };
}

/** Deliveries of this message that ended without an answer; a quorum queue counts them. */
export function failedDeliveries({ properties }: ReceivedMessage): number {
  return Number(valueOfHeader(properties, "x-delivery-count")) || 0;
}

/** A message of a dead-letter queue, also one of a foreign client. Never throws. */
export function toDeadLetter(message: ReceivedMessage): DeadLetter {
  const { properties } = message;
  const raw = toRaw(message);
  const death = headerOf(properties, "x-death");
  const deathEntries = (death && firstEntriesOf(death)) ?? [];
  const ofDeath = (name: string) => deathEntries.find((entry) => entry.name === name);
  const failedAt = failureTimeOf(valueOfHeader(properties, failedAtHeader));
  const deathTime = ofDeath("time");
  const seconds = deathTime && secondsOf(deathTime);
  const sent = sentBy(message, "dead-letter queue");
  return {
    id: idOf(raw),
    type: raw.type,
    reason: reasonOf(properties, failedAt !== undefined || death === undefined, ofDeath("reason")),
    attempt: raw.attempt,
    failedAt: failedAt ?? (seconds === undefined ? undefined : dateOfSeconds(seconds)),
    traceparent: raw.traceparent,
    body: raw.body,
    properties: shownProperties(sent),
    headers: shownTable(sent.headers),
  };
}

/** Without our headers the broker dead-lettered it, and its header has the reason: "delivery_limit". */
function reasonOf(properties: Properties, isOurs: boolean, ofDeath: Header | undefined): string {
  const reason = isOurs ? valueOfHeader(properties, reasonHeader) : undefined;
  if (typeof reason === "string") return reason;
  if (reason !== undefined) return JSON.stringify(reason);
  return `dead-lettered by the broker: ${(ofDeath && textOf(ofDeath)) ?? "no reason given"}`;
}

function valueOfHeader(properties: Properties, name: string): unknown {
  const header = headerOf(properties, name);
  return header && shownValue(header);
}
