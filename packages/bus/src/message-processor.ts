import type { QueueType, TextRedactor } from "@smartcart/contract";
import { eventTypes, redactError, textRedactor } from "@smartcart/contract";
import { withTimeout } from "@smartcart/runtime";
import type { Poison, RawMessage } from "./message.ts";
import { decodeMessage, idOf } from "./message.ts";
import type { ConsumeOptions, Delivery, Outcome } from "./types.ts";

/** What an engine has to do with a delivered message. */
export type Step =
  /** Remove it. */
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
 * Decodes a batch, asks the handler about what could be decoded, and returns a step for each
 * message, by position. Never throws. `isStopping` ends the search for what made a batch fail.
 */
export async function handleBatch(
  queue: QueueType,
  batch: readonly RawMessage[],
  o: ConsumeOptions,
  isStopping: () => boolean = () => false,
): Promise<Step[]> {
  const decoded = batch.map((raw) => decodeMessage(queue, raw));
  const deliveries = decoded.filter((entry): entry is Delivery => !("poison" in entry));
  const answers = await askHandler(o, deliveries, isStopping);
  return batch.map((raw, index) => {
    const entry = decoded[index] as Delivery | Poison;
    const isPoison = "poison" in entry;
    const delivery = isPoison ? undefined : entry;
    const answer: Answer = isPoison
      ? { kind: "dead-letter", reason: `cannot be decoded: ${entry.poison}` }
      : redacted(answers.shift() ?? noAnswer, entry);
    const step = nextStep(queue, raw.attempt, answer);
    note(queue, raw, o, { answer, step, delivery });
    return step;
  });
}

/** The reason of a handler is stored beside the message and logged: what it quotes of the message is redacted. */
function redacted(answer: Answer, delivery: Delivery): Answer {
  if (answer.kind === "ack") return answer;
  return { ...answer, reason: redactorOf([delivery])(answer.reason) };
}

function redactorOf(deliveries: readonly Delivery[]): TextRedactor {
  return textRedactor(
    deliveries.flatMap(({ type, message }) => {
      const desc = eventTypes.get(type)?.desc;
      return desc === undefined ? [] : [[desc, message] as const];
    }),
  );
}

/**
 * A message whose batch failed, and that could not be handled alone in time. It is delivered again after the first pause of the
 * ladder, as the same attempt.
 */
interface Postponement {
  readonly kind: "postpone";
  readonly reason: string;
}

type Answer = Outcome | Postponement;

/** The step for an answer, by the contract's retry ladder; pure. */
export function nextStep(queue: QueueType, attempt: number, answer: Answer): Step {
  if (answer.kind === "ack") return { kind: "remove" };
  const { reason } = answer;
  const [firstDelay] = queue.retryDelaysMs;
  if (answer.kind === "postpone" && firstDelay !== undefined) {
    return { kind: "retry", delayMs: firstDelay, attempt, reason };
  }
  const lastDelay = queue.retryDelaysMs.at(-1);
  const isRetry = answer.kind === "retry" && attempt < queue.maxAttempts;
  if (isRetry && lastDelay !== undefined) {
    const delayMs = queue.retryDelaysMs[attempt - 1] ?? lastDelay;
    return { kind: "retry", delayMs, attempt: attempt + 1, reason };
  }
  return queue.deadLetter ? { kind: "dead-letter", reason } : { kind: "remove" };
}

/**
 * Bounds the search for the message that makes a batch fail, in handler time-outs. Without it a fault that hits every message (a
 * database that hangs) would keep a batch for hours.
 */
const searchTimeouts = 10;

/**
 * Never throws. One message can make the handler fail for its whole batch: then the handler is called again with parts of the batch,
 * so that only the failing message is retried.
 */
async function askHandler(
  o: ConsumeOptions,
  batch: readonly Delivery[],
  isStopping: () => boolean,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const parts = batch.length === 0 ? [] : [batch];
  const endMs = performance.now() + searchTimeouts * timeoutOf(o);
  let failure: Failure | undefined;
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (failure !== undefined && (isStopping() || performance.now() > endMs)) {
      const reason = `its batch failed: ${failure.reason}`;
      answers.push(...part.map(() => ({ kind: "postpone", reason }) as const));
      continue;
    }
    const reply = await callHandler(o, part);
    if ("outcomes" in reply) {
      answers.push(...part.map((_, index) => reply.outcomes[index] ?? noAnswer));
      continue;
    }
    if (failure === undefined) {
      const { error } = reply;
      o.log.warn("bus.handler_failed", { consumer: o.name, messages: batch.length, error });
    }
    failure = reply;
    if (part.length === 1) answers.push({ kind: "retry", reason: reply.reason });
    else parts.unshift(...partsOf(part, reply));
  }
  return answers;
}

const noAnswer: Outcome = { kind: "retry", reason: "the handler gave no answer" };

/** The handler threw, or did not return in time. */
interface Failure {
  readonly error: unknown;
  readonly reason: string;
  readonly isTimeout: boolean;
}

/** Halves, which find one failing message with the fewest calls; single messages where each failure costs a time-out. */
function partsOf(part: readonly Delivery[], { isTimeout }: Failure): (readonly Delivery[])[] {
  if (isTimeout) return part.map((one) => [one]);
  const half = Math.ceil(part.length / 2);
  return [part.slice(0, half), part.slice(half)];
}

function timeoutOf(o: ConsumeOptions): number {
  return o.handlerTimeoutMs ?? 30_000;
}

async function callHandler(
  o: ConsumeOptions,
  part: readonly Delivery[],
): Promise<{ readonly outcomes: readonly Outcome[] } | Failure> {
  const timeoutMs = timeoutOf(o);
  const abort = new AbortController();
  const late = (): never => {
    abort.abort(new Error(`no answer within ${timeoutMs} ms`));
    throw abort.signal.reason;
  };
  try {
    const handled = o.handle(part, { signal: abort.signal });
    return { outcomes: await withTimeout(handled, timeoutMs, late) };
  } catch (thrown) {
    // An error of the database or of a parser quotes what it was given.
    const error = redactError(thrown, redactorOf(part));
    const reason = error instanceof Error ? error.message : String(error);
    return { error, reason, isTimeout: abort.signal.aborted };
  }
}

function note(
  queue: QueueType,
  raw: RawMessage,
  o: ConsumeOptions,
  { answer, step, delivery }: { answer: Answer; step: Step; delivery: Delivery | undefined },
): void {
  const isAck = answer.kind === "ack";
  const result = step.kind !== "remove" ? step.kind : isAck ? "ack" : "drop";
  o.onHandled?.(result, delivery);
  if (isAck) return;
  o.log.warn(`bus.${result.replace("-", "_")}`, {
    queue: queue.name,
    consumer: o.name,
    messageId: idOf(raw),
    type: raw.type,
    attempt: raw.attempt,
    reason: answer.reason,
  });
}
