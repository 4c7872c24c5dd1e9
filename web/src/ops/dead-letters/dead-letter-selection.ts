import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";

/** Letters that are ticked, by `deadLetterKey`. */
export type Ticked = ReadonlySet<string>;

/** A letter's identity: ids are unique within a queue only. */
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

/** The ticks that still have a letter. */
export function stillThere(ticked: Ticked, letters: readonly DeadLetter[]): Ticked {
  const keys = new Set(letters.map(deadLetterKey));
  return new Set([...ticked].filter((key) => keys.has(key)));
}

/** What a call can take: at most 500 letters of one queue. */
export interface Batch {
  readonly queue: string;
  readonly messageIds: string[];
}

const MAX_BATCH = 500;

/** The ticked letters as batches, queue by queue. Without a ticked letter there is no batch, since "none" would mean all. */
export function batchesOf(letters: readonly DeadLetter[], ticked: Ticked): readonly Batch[] {
  const chosen = letters.filter((letter) => ticked.has(deadLetterKey(letter)));
  return [...Map.groupBy(chosen, ({ queue }) => queue)].flatMap(([queue, own]) => {
    const ids = own.map(({ messageId }) => messageId);
    return Array.from({ length: Math.ceil(ids.length / MAX_BATCH) }, (_, index) => ({
      queue,
      messageIds: ids.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH),
    }));
  });
}
