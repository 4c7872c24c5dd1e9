import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";

/** What dead letters are grouped by. */
export type Grouping = "failure" | "order";

/** Dead letters that belong together. */
export interface DeadLetterGroup {
  readonly key: string;
  /** "no such street", "ORD-…", "no order". */
  readonly title: string;
  readonly queue: string;
  readonly deadLetters: readonly DeadLetter[];
}

/** The largest group first; groups of one size in the order of their newest dead letters. */
export function groupsOf(
  deadLetters: readonly DeadLetter[],
  by: Grouping,
): readonly DeadLetterGroup[] {
  const groups = Map.groupBy(deadLetters, (one) => `${one.queue} ${titleOf(one, by)}`);
  return [...groups]
    .map(([key, own]) => ({
      key,
      title: own[0] ? titleOf(own[0], by) : "",
      queue: own[0]?.queue ?? "",
      deadLetters: own,
    }))
    .sort((one, other) => other.deadLetters.length - one.deadLetters.length);
}

function titleOf({ orderId, reason }: DeadLetter, by: Grouping): string {
  return by === "order" ? orderId || "no order" : failureOf(reason);
}

/** The failure without what differs from message to message: ids, numbers, quoted texts. */
function failureOf(reason: string): string {
  const text = reason
    .replaceAll(/ORD-\S+/g, "ORD-…")
    .replaceAll(/"[^"]*"/g, "“…”")
    .replaceAll(/\b[0-9a-f]{8,}(-[0-9a-f]{4,})*\b/gi, "…")
    .replaceAll(/\d+/g, "N")
    .trim();
  return text || "no reason given";
}
