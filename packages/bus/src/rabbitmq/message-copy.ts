/**
 * Copies of received messages. A message that is retried or given up is stored as a held copy in
 * another queue, and later released; both keep what its sender sent, byte for byte.
 *
 * A held copy has headers of ours. The sender's headers of the same names, and properties that would
 * take effect on the copy (an expiration would delete a dead letter), are kept in the table `x-sent`.
 */
import type { Header } from "./amqp-table.ts";
import { entriesOf, intHeader, renamed, tableHeader, textHeader, textOf } from "./amqp-table.ts";
import type { RawPublish } from "./frames.ts";
import type { Properties, PropertyName } from "./properties.ts";
import { shortString, writeProperties } from "./properties.ts";
import type { ReceivedMessage } from "./raw-connection.ts";

/** Header with the attempt, from 1; a foreign message without it is at its first. */
export const attemptHeader = "x-attempt";
/** Header of a held copy: why it was retried or given up. */
export const reasonHeader = "x-reason";
/** Header of a dead letter: when, ISO 8601. */
export const failedAtHeader = "x-failed-at";
/** Header of a copy: the routing key of the first publish. */
const firstRoutingKeyHeader = "x-first-routing-key";
/** Header of a held copy: a table of the sender's headers and properties that cannot be set on it. */
const sentHeader = "x-sent";
/** Header of a copy that is not whole: what was cut from it. */
const cutHeader = "x-cut";
/** Header of a released copy: the sender's CC, which is not set again since those queues have the message. */
const firstCcHeader = "x-first-cc";
/** Header of a released copy: the user id of its sender, which the broker accepts from that user only. */
const firstUserHeader = "x-first-user-id";

const ourHeaders: ReadonlySet<string> = new Set([
  ...[attemptHeader, reasonHeader, failedAtHeader, firstRoutingKeyHeader, sentHeader, cutHeader],
]);
/** The broker acts on these or counts in them: on a copy they would start from the old value. */
const brokerHeaders =
  /^(x-delivery-count|x-acquired-count|x-death|x-(first|last)-death-.*|CC|BCC)$/;
const countingHeaders = /^(x-delivery-count|x-acquired-count)$/;
const deathHeaders = /^(x-death|x-(first|last)-death-.*)$/;
/** Prefix of a property in `x-sent`. The broker rejects a foreign user id, and applies an expiration. */
const propertyPrefix = "property:";
const heldProperties: readonly PropertyName[] = ["expiration", "userId"];

const longestReasonBytes = 4_096;

/** What we note on a held copy. */
interface HoldNote {
  readonly attempt: number;
  readonly reason: string;
  /** Set on a dead letter. */
  readonly failedAt?: Date;
}

/** A copy to wait in a retry or dead-letter queue. `longest` is the payload of a frame, which headers must fit in. */
export function heldCopy(
  message: ReceivedMessage,
  to: { exchange: string; routingKey: string },
  note: HoldNote,
  longest: number,
): RawPublish {
  const { fields, headers } = sentBy(message, "work queue");
  const kept = new Map(fields);
  const aside: Header[] = headers.filter(({ name }) => standsAside(name));
  for (const name of heldProperties) {
    const value = fields.get(name);
    if (value !== undefined) aside.push(textHeader(propertyPrefix + name, shortText(value)));
    kept.delete(name);
  }
  const own = (cut: string) => [
    intHeader(attemptHeader, note.attempt),
    textHeader(reasonHeader, clipBytes(note.reason, longest) + (cut === "" ? "" : `; ${cut}`)),
    ...(note.failedAt === undefined
      ? []
      : [textHeader(failedAtHeader, note.failedAt.toISOString())]),
    textHeader(firstRoutingKeyHeader, firstRoutingKeyOf(message)),
    ...(cut === "" ? [] : [textHeader(cutHeader, cut)]),
  ];
  return fitting(message, to, longest, {
    fields: kept,
    top: headers.filter(({ name }) => !standsAside(name)),
    aside,
    own,
  });
}

/** A copy to go back into its work queue, as its sender sent it but with a fresh set of attempts. */
export function releasedCopy(
  message: ReceivedMessage,
  to: { exchange: string; routingKey: string },
  longest: number,
): RawPublish {
  const { fields, headers } = sentBy(message, "dead-letter queue");
  const top = headers.flatMap((header) => {
    if (header.name === "CC") return [renamed(header, firstCcHeader)];
    if (header.name === attemptHeader) return [intHeader(attemptHeader, 1)];
    return [firstRoutingKeyHeader, sentHeader].includes(header.name) ? [] : [header];
  });
  const user = fields.get("userId");
  const own = (cut: string) => [
    textHeader(firstRoutingKeyHeader, firstRoutingKeyOf(message)),
    ...(user === undefined ? [] : [textHeader(firstUserHeader, shortText(user))]),
    ...(cut === "" ? [] : [textHeader(cutHeader, cut)]),
  ];
  const restored = new Map([...fields].filter(([name]) => name !== "userId"));
  return fitting(message, to, longest, { fields: restored, top, aside: undefined, own });
}

/** Properties and headers as the sender set them. */
export function sentBy(
  { properties }: ReceivedMessage,
  from: "work queue" | "dead-letter queue",
): Properties {
  const aside = asideOf(properties);
  if (aside === undefined) {
    const isOfBroker = (name: string) =>
      countingHeaders.test(name) || (from === "dead-letter queue" && deathHeaders.test(name));
    const headers = properties.headers.filter(({ name }) => !isOfBroker(name));
    return { fields: properties.fields, headers };
  }
  const fields = new Map(properties.fields);
  const headers = properties.headers.filter(({ name }) => !standsAside(name));
  for (const header of aside) {
    const name = heldProperties.find((one) => header.name === propertyPrefix + one);
    if (name === undefined) headers.push(header);
    else fields.set(name, shortString(textOf(header) ?? ""));
  }
  return { fields, headers };
}

/** The routing key of the first publish. */
export function firstRoutingKeyOf({ properties, routingKey }: ReceivedMessage): string {
  const header = headerOf(properties, firstRoutingKeyHeader);
  return (header && textOf(header)) || routingKey;
}

/** The header of that name. */
export function headerOf({ headers }: Properties, name: string): Header | undefined {
  return headers.find((header) => header.name === name);
}

function asideOf(properties: Properties): readonly Header[] | undefined {
  const key = headerOf(properties, firstRoutingKeyHeader);
  const sent = headerOf(properties, sentHeader);
  if (key === undefined || textOf(key) === undefined || sent === undefined) return undefined;
  return entriesOf(sent);
}

function standsAside(name: string): boolean {
  return ourHeaders.has(name) || brokerHeaders.test(name);
}

interface Parts {
  readonly fields: ReadonlyMap<PropertyName, Buffer>;
  readonly top: readonly Header[];
  /** Undefined on a copy that has no table `x-sent`. */
  readonly aside: readonly Header[] | undefined;
  readonly own: (cut: string) => readonly Header[];
}

/**
 * The headers of a message must fit in one frame, and its sender may have filled it: then the
 * sender's largest headers are cut, and the copy notes it. A message whose copy the broker rejects
 * would be redelivered for ever.
 */
function fitting(
  message: ReceivedMessage,
  to: { exchange: string; routingKey: string },
  longest: number,
  { fields, top, aside, own }: Parts,
): RawPublish {
  const limit = longest - bytesBeforeFlags;
  const compose = (dropped: ReadonlySet<Header>, cut: string) => {
    const left = (headers: readonly Header[]) => headers.filter((header) => !dropped.has(header));
    const held = aside === undefined ? [] : [tableHeader(sentHeader, left(aside))];
    return writeProperties({ fields, headers: [...left(top), ...held, ...own(cut)] });
  };
  const before = cutBefore(message.properties);
  const whole = compose(new Set(), before);
  if (whole.length <= limit)
    return { ...to, mandatory: true, properties: whole, body: message.body };
  const dropped = new Set<Header>();
  let bytes = 0;
  const largestFirst = [...top, ...(aside ?? [])].sort((a, b) => b.bytes.length - a.bytes.length);
  for (const header of largestFirst) {
    if (whole.length - bytes + roomForCutNote <= limit) break;
    dropped.add(header);
    bytes += header.bytes.length;
  }
  const cut = `${dropped.size} headers of ${bytes} bytes cut: with ours they do not fit in a frame`;
  const properties = compose(dropped, before === "" ? cut : `${before}; ${cut}`);
  return { ...to, mandatory: true, properties, body: message.body };
}

/** Bytes for the note on what was cut, which is in two headers. */
const roomForCutNote = 400;
/** Class, weight and size of the body. */
const bytesBeforeFlags = 12;

function cutBefore(properties: Properties): string {
  const header = asideOf(properties) ? headerOf(properties, cutHeader) : undefined;
  return (header && textOf(header)) ?? "";
}

function clipBytes(text: string, longest: number): string {
  const bytes = Buffer.from(text);
  const most = Math.min(longestReasonBytes, Math.floor(longest / 4));
  return bytes.length <= most
    ? text
    : `${bytes.toString("utf8", 0, most - 3).replace(/\ufffd+$/, "")}…`;
}

function shortText(value: Buffer): string {
  return value.toString("utf8", 1);
}
