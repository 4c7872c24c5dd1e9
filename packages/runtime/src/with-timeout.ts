import { timerMs } from "./timer-bounds.ts";

/**
 * Bounds the wait for `work`. Settles as `work` does; after `timeoutMs` milliseconds (`Infinity`: no bound), or when `signal`
 * fires, with what `late` returns or throws. The work itself goes on, and its later outcome is ignored, a rejection too.
 *
 * The timer is cleared when the wait ends. `AbortSignal.timeout` keeps its timer, and makes an error each time it fires.
 */
export async function withTimeout<T, L>(
  work: Promise<T>,
  timeoutMs: number,
  late: () => L | Promise<L>,
  signal?: AbortSignal,
): Promise<T | L> {
  const over = Promise.withResolvers<void>();
  const end = () => over.resolve();
  const timer =
    timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(end, timerMs(timeoutMs));
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  try {
    return await Promise.race([work, over.promise.then(late)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

/** Waits for `work` until `signal` fires; undefined then. The work itself goes on. Leaves no listener behind. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return withTimeout(work, Number.POSITIVE_INFINITY, () => undefined, signal);
}

/** For `late`: throws an Error that says what did not happen, and the bound: "RabbitMQ did not answer within 2000 ms". */
export function timedOut(problem: string, timeoutMs: number): () => never {
  return () => {
    throw new Error(`${problem} within ${timeoutMs} ms`);
  };
}
