/** Wakes a waiting loop. A ring while nobody waits is kept for the next wait. */
export interface WakeSignal {
  ring(): void;
  /** Forgets a ring that was kept. */
  reset(): void;
  /** Resolves at a ring, after `timeoutMs`, or when the signal fires. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

/** A doorbell for one loop. */
export function createWakeSignal(): WakeSignal {
  let rung = false;
  let open: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      open?.();
    },
    reset() {
      rung = false;
    },
    async wait(timeoutMs, signal) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          open = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener("abort", open, { once: true });
        }).finally(() => {
          if (open !== undefined) signal.removeEventListener("abort", open);
          open = undefined;
        });
      }
      rung = false;
    },
  };
}
