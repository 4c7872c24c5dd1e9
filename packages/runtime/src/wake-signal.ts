import { withTimeout } from "./with-timeout.ts";

/** Wakes one waiting loop. A notification while nothing waits is kept for the next wait; several become one. */
export interface WakeSignal {
  notify(): void;
  /** Discards a kept notification. */
  reset(): void;
  /** Resolves at a notification, when `signal` fires, or after `timeoutMs` milliseconds. Default: no bound. Waits must not overlap. */
  wait(signal: AbortSignal, timeoutMs?: number): Promise<void>;
}

/** Creates a signal with no notification kept. */
export function createWakeSignal(): WakeSignal {
  let notified = Promise.withResolvers<void>();
  const reset = () => {
    notified = Promise.withResolvers<void>();
  };
  return {
    notify: () => notified.resolve(),
    reset,
    async wait(signal, timeoutMs = Number.POSITIVE_INFINITY) {
      await withTimeout(notified.promise, timeoutMs, () => {}, signal);
      reset();
    },
  };
}
