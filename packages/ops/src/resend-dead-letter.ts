import { randomUUID } from "node:crypto";
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import type { EventBus } from "@smartcart/bus";
import { createEvent } from "@smartcart/bus";
import { eventTypes, parseExactJson, readMessageJson, redactedText } from "@smartcart/contract";
import type { ResendDeadLetterRequest } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { WholeDeadLetter } from "./dead-letter-actions.ts";
import { copyNotPublished, deadLetterNotEditable, deadLetterNotFound } from "./errors.ts";

interface ResendOptions {
  readonly bus: Pick<EventBus, "publish">;
  /** A dead letter, in its queue or in the archive; undefined where there is none. */
  readonly find: (queue: string, messageId: string) => Promise<WholeDeadLetter | undefined>;
}

/**
 * Publishes a message of a dead letter's type with another body, under an id of its own. Each "[redacted]" of the body is replaced by
 * the original value: operators send personal data on without seeing it. Consumers tell copies by what they are about,
 * so an order is still shipped once. Throws LETTER_NOT_FOUND, LETTER_NOT_EDITABLE, what is wrong with the body, and
 * COPY_NOT_PUBLISHED where the queue did not confirm it.
 */
export async function resendDeadLetter(
  {
    queue,
    messageId,
    messageJson,
  }: Pick<ResendDeadLetterRequest, "queue" | "messageId" | "messageJson">,
  { bus, find }: ResendOptions,
): Promise<string> {
  const found = await find(queue, messageId);
  if (found === undefined) throw deadLetterNotFound(queue, messageId);
  const { type } = found.deadLetter;
  const desc = eventTypes.get(type)?.desc;
  if (desc === undefined) throw deadLetterNotEditable(type);
  const json = restored(parse(desc, messageJson), originalJson(desc, found.body));
  const message = readMessageJson(desc, JSON.stringify(json));
  const id = `${messageId.slice(0, 200)}:copy-${randomUUID().slice(0, 8)}`;
  const { confirmed } = await bus.publish([createEvent(desc, message, { id })]);
  if (confirmed.length === 0) throw copyNotPublished(queue);
  return id;
}

/** The body before it was edited; undefined where it cannot be decoded. */
function originalJson(desc: DescMessage, body: Uint8Array): JsonValue | undefined {
  try {
    return toJson(desc, fromBinary(desc, body));
  } catch {
    return undefined;
  }
}

/** The edited body. Values that the operator saw as "[redacted]" are taken from the same place of the original. */
function restored(edited: JsonValue, original: JsonValue | undefined): JsonValue {
  if (edited === redactedText) return original ?? edited;
  if (typeof edited !== "object" || edited === null) return edited;
  if (Array.isArray(edited)) {
    const before = Array.isArray(original) ? original : [];
    return edited.map((value, index) => restored(value, before[index]));
  }
  const before = typeof original === "object" && !Array.isArray(original) ? (original ?? {}) : {};
  return Object.fromEntries(
    Object.entries(edited).map(([name, value]) => [name, restored(value, before[name])]),
  );
}

/** As strictly as any body from outside: no repeated member, no rounded number. */
function parse(desc: DescMessage, text: string): JsonValue {
  return parseExactJson(desc, text).json as JsonValue;
}
