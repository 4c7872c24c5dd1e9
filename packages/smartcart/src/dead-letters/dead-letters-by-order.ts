/** Dead letters by the order that they are about. */
import type { EventBus } from "@smartcart/bus";
import { decodeDeadLetter, namesUser } from "@smartcart/bus";
import { queuesWithDeadLetters } from "./list-dead-letters.ts";

/** A dead letter by its queue and id. */
export interface DeadLetterOfOrder {
  readonly queue: string;
  readonly id: string;
}

/** Dead letters of one queue that are looked at. */
const searched = 10_000;

/** The dead letters of all queues. `ofUser`: those that name the customer. `unreadable`: how many cannot be decoded, and so be about any order. */
export async function deadLettersByOrder(
  bus: EventBus,
  userId: string,
): Promise<{
  readonly deadLetters: ReadonlyMap<string, readonly DeadLetterOfOrder[]>;
  readonly ofUser: readonly DeadLetterOfOrder[];
  readonly unreadable: number;
}> {
  const deadLetters = new Map<string, DeadLetterOfOrder[]>();
  const ofUser: DeadLetterOfOrder[] = [];
  let unreadable = 0;
  for (const queue of queuesWithDeadLetters()) {
    for (const deadLetter of await bus.deadLetters(queue).list({ limit: searched })) {
      const { orderId, json } = decodeDeadLetter(deadLetter);
      if (json === undefined) unreadable += 1;
      if (namesUser(deadLetter, userId)) ofUser.push({ queue, id: deadLetter.id });
      deadLetters.set(orderId, [...(deadLetters.get(orderId) ?? []), { queue, id: deadLetter.id }]);
    }
  }
  return { deadLetters, ofUser, unreadable };
}
