import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";

/** Selected dead letters, by `deadLetterKey`. */
export type Ticked = ReadonlySet<string>;

/** The identity of a dead letter: ids are unique within a queue only. */
export function deadLetterKey({
  queue,
  messageId,
}: Pick<DeadLetter, "queue" | "messageId">): string {
  return `${queue} ${messageId}`;
}

export function toggled(ticked: Ticked, key: string): Ticked {
  const next = new Set(ticked);
  if (!next.delete(key)) next.add(key);
  return next;
}

/** The selection without dead letters that are gone. */
export function stillThere(ticked: Ticked, deadLetters: readonly DeadLetter[]): Ticked {
  const keys = new Set(deadLetters.map(deadLetterKey));
  return new Set([...ticked].filter((key) => keys.has(key)));
}

/** What a call can take: at most 500 dead letters of one queue. */
export interface Batch {
  readonly queue: string;
  readonly messageIds: string[];
}

const maxBatch = 500;

/** The selected dead letters as batches per queue. Without a selection there is no batch: a batch without ids would mean all. */
export function batchesOf(deadLetters: readonly DeadLetter[], ticked: Ticked): readonly Batch[] {
  const chosen = deadLetters.filter((deadLetter) => ticked.has(deadLetterKey(deadLetter)));
  return [...Map.groupBy(chosen, ({ queue }) => queue)].flatMap(([queue, own]) => {
    const ids = own.map(({ messageId }) => messageId);
    return Array.from({ length: Math.ceil(ids.length / maxBatch) }, (_, index) => ({
      queue,
      messageIds: ids.slice(index * maxBatch, (index + 1) * maxBatch),
    }));
  });
}
