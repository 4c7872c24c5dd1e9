import type { QueueType } from "./contract.ts";
import type { RawMessage } from "./message.ts";
import { decodeMessage, idOf } from "./message.ts";
import type { ConsumeOptions, Delivery, Outcome } from "./types.ts";

/** What an engine has to do with a delivered message. */
export type Step =
  /**
   * Remove it. `result` tells an acknowledged one from one that was dropped because its queue keeps
   * no dead letters.
   */
  | { readonly kind: "remove" }
  /** Store a copy with this attempt, to be delivered after the pause, then remove it. */
  | {
      readonly kind: "retry";
      readonly delayMs: number;
      readonly attempt: number;
      readonly reason: string;
    }
  /** Store a copy with the reason in the dead-letter queue, then remove it. */
  | { readonly kind: "dead-letter"; readonly reason: string };

/**
 * Decodes a batch, asks the handler about what could be decoded, and answers a step for each
 * message, by position.
 */
export async function handleBatch(
  queue: QueueType,
  batch: readonly RawMessage[],
  o: ConsumeOptions,
): Promise<Step[]> {
  const decoded = batch.map((raw) => decodeMessage(queue, raw));
  const deliveries = decoded.filter((entry): entry is Delivery => !("poison" in entry));
  const outcomes = deliveries.length > 0 ? await askHandler(o, deliveries) : [];
  let next = 0;
  return batch.map((raw, index) => {
    const entry = decoded[index];
    const outcome: Outcome =
      entry !== undefined && "poison" in entry
        ? { kind: "dead-letter", reason: `cannot be decoded: ${entry.poison}` }
        : (outcomes[next++] ?? { kind: "retry", reason: "the handler gave no answer" });
    const step = nextStep(queue, raw.attempt, outcome);
    const delivery = entry !== undefined && "poison" in entry ? undefined : entry;
    note(queue, { raw, delivery, outcome, step }, o);
    return step;
  });
}

/** Where an outcome leads by the contract's retry ladder; pure. */
export function nextStep(queue: QueueType, attempt: number, outcome: Outcome): Step {
  if (outcome.kind === "ack") return { kind: "remove" };
  const { reason } = outcome;
  const lastDelay = queue.retryDelaysMs.at(-1);
  if (outcome.kind === "retry" && attempt < queue.maxAttempts && lastDelay !== undefined) {
    const delayMs = queue.retryDelaysMs[attempt - 1] ?? lastDelay;
    return { kind: "retry", delayMs, attempt: attempt + 1, reason };
  }
  if (!queue.deadLetter) return { kind: "remove" };
  return { kind: "dead-letter", reason };
}

/** Never throws: an error or a time-out is a retry of the whole batch. */
async function askHandler(
  o: ConsumeOptions,
  batch: readonly Delivery[],
): Promise<readonly Outcome[]> {
  const timeoutMs = o.handlerTimeoutMs ?? 30_000;
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${timeoutMs} ms`);
      abort.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([o.handle(batch, { signal: abort.signal }), late]);
  } catch (error) {
    o.log.warn("bus.handler_failed", { consumer: o.name, messages: batch.length, error });
    const reason = error instanceof Error ? error.message : String(error);
    return batch.map(() => ({ kind: "retry", reason }));
  } finally {
    clearTimeout(timer);
  }
}

/** A message and what becomes of it. */
interface Handled {
  readonly raw: RawMessage;
  /** Undefined where it cannot be decoded. */
  readonly delivery: Delivery | undefined;
  readonly outcome: Outcome;
  readonly step: Step;
}

function note(
  queue: QueueType,
  { raw, delivery, outcome, step }: Handled,
  o: ConsumeOptions,
): void {
  const result = outcome.kind !== "ack" && step.kind === "remove" ? "drop" : step.kind;
  o.onHandled?.(result === "remove" ? "ack" : result, delivery);
  if (outcome.kind === "ack") return;
  o.log.warn(`bus.${result.replace("-", "_")}`, {
    queue: queue.name,
    consumer: o.name,
    messageId: idOf(raw),
    type: raw.type,
    attempt: raw.attempt,
    reason: outcome.reason,
  });
}
