/** Dead letters by the order that they are about. */
import type { EventBus } from "@smartcart/bus";
import { decodeDeadLetter, namesUser } from "@smartcart/bus";
import { queuesWithDeadLetters } from "./list-dead-letters.ts";

/** A dead letter, by its place. */
export interface LetterOfOrder {
  readonly queue: string;
  readonly id: string;
}

/** Dead letters of one queue that are looked at. */
const SEARCHED = 10_000;

/** The dead letters of all queues. `ofUser`: those that name the customer. `unreadable`: how many cannot be decoded, and so be about any order. */
export async function lettersByOrder(
  bus: EventBus,
  userId: string,
): Promise<{
  readonly letters: ReadonlyMap<string, readonly LetterOfOrder[]>;
  readonly ofUser: readonly LetterOfOrder[];
  readonly unreadable: number;
}> {
  const letters = new Map<string, LetterOfOrder[]>();
  const ofUser: LetterOfOrder[] = [];
  let unreadable = 0;
  for (const queue of queuesWithDeadLetters()) {
    for (const letter of await bus.deadLetters(queue).list({ limit: SEARCHED })) {
      const { orderId, json } = decodeDeadLetter(letter);
      if (json === undefined) unreadable += 1;
      if (namesUser(letter, userId)) ofUser.push({ queue, id: letter.id });
      letters.set(orderId, [...(letters.get(orderId) ?? []), { queue, id: letter.id }]);
    }
  }
  return { letters, ofUser, unreadable };
}
