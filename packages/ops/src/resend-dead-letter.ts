import { randomUUID } from "node:crypto";
import type { EventBus } from "@smartcart/bus";
import { createEvent } from "@smartcart/bus";
import { eventTypes, readMessageJson } from "@smartcart/contract";
import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { ResendDeadLetterRequest } from "@smartcart/gen/ops/v1/ops_service_pb";
import { copyNotPublished, letterNotEditable, letterNotFound } from "./errors.ts";

export interface ResendOptions {
  readonly bus: Pick<EventBus, "publish">;
  /** A dead letter, in its queue or in the archive; undefined where there is none. */
  readonly find: (queue: string, messageId: string) => Promise<DeadLetter | undefined>;
}

/**
 * Publishes a message of a dead letter's type with another body, under an id of its own. Consumers tell copies by what they are about,
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
  const letter = await find(queue, messageId);
  if (letter === undefined) throw letterNotFound(queue, messageId);
  const desc = eventTypes.get(letter.type)?.desc;
  if (desc === undefined) throw letterNotEditable(letter.type);
  const message = readMessageJson(desc, messageJson);
  const id = `${messageId.slice(0, 200)}:copy-${randomUUID().slice(0, 8)}`;
  const { confirmed } = await bus.publish([createEvent(desc, message, { id })]);
  if (confirmed.length === 0) throw copyNotPublished(queue);
  return id;
}
