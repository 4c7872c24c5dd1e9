/** Dead letters as `smartcart dlq` shows them. */

import type { DeadLetter, EventBus } from "@smartcart/bus";
import { decodeDeadLetter } from "@smartcart/bus";
import { queueTypes } from "@smartcart/contract";
import { onOneLine } from "@smartcart/runtime";

/** A queue with its oldest dead letters. */
export interface ListedQueue {
  readonly queue: string;
  /** Of all, not only of those in the list. */
  readonly count: number;
  readonly deadLetters: ReadonlyArray<{
    readonly id: string;
    /** Full name of the event. Empty where the sender set none. */
    readonly type: string;
    readonly failedAt: string | undefined;
    readonly attempt: number;
    readonly reason: string;
  }>;
}

/** The work queues of the contract that keep dead letters, without the suffix `.dlq`. */
export function queuesWithDeadLetters(): string[] {
  return [...queueTypes.values()].filter(({ deadLetter }) => deadLetter).map(({ name }) => name);
}

/** At most `limit` dead letters of the queue, the oldest first. */
export async function listDeadLetters(
  bus: EventBus,
  queue: string,
  limit: number,
): Promise<ListedQueue> {
  const stored = bus.deadLetters(queue);
  const count = await stored.count();
  const deadLetters = (await stored.list({ limit })).map((deadLetter) => {
    const { id, type, failedAt, attempt } = deadLetter;
    const { reason } = decodeDeadLetter(deadLetter);
    return { id, type, failedAt: failedAt?.toISOString(), attempt, reason };
  });
  return { queue, count, deadLetters };
}

/** One line per dead letter. Each is kept on one line, so that a message cannot pose as several. */
export function describeQueue({ queue, count, deadLetters }: ListedQueue): string {
  const lines = deadLetters.map(({ id, type, failedAt = "unknown time", attempt, reason }) => {
    return `  ${onOneLine(`${id}  ${type || "no type"}  ${failedAt}  attempt ${attempt}  ${reason}`)}`;
  });
  return [`${queue}.dlq: ${count}`, ...lines, ""].join("\n");
}

/** A dead letter with its message decoded, without personal data, or with its size where it cannot be decoded. */
export function describeDeadLetter(deadLetter: DeadLetter): object {
  const { body, ...rest } = deadLetter;
  const { json, headers, reason } = decodeDeadLetter(deadLetter);
  // One that cannot be decoded may hold an address anywhere: the queue alone shows its bytes.
  return {
    ...rest,
    reason,
    headers,
    bodySize: body.byteLength,
    ...(json !== undefined && { message: json }),
  };
}
