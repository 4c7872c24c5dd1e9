import type { Logger } from "./logger.ts";

export interface TimerOptions {
  /** Pause between the end of one run and the start of the next, in milliseconds; a function is asked after each run. */
  intervalMs: number | (() => number);
  log: Logger;
  /** Names the timer in the log: "outbox.relay". */
  name: string;
  /** `signal` fires when the timer is disposed of. What it throws is logged, and the next run comes as usual. */
  run: (signal: AbortSignal) => Promise<void>;
}

/** A running timer. */
export interface Timer extends AsyncDisposable {
  /** Runs as soon as possible: now, or right after the run under way. Several pokes become one run. */
  poke(): void;
}

/** Repeats `run`, first after one interval. Runs never overlap. Disposing waits for the run under way. */
export function startTimer(o: TimerOptions): Timer {
  const stop = new AbortController();
  let pending: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let poked = false;

  const interval = () => (typeof o.intervalMs === "number" ? o.intervalMs : o.intervalMs());
  const schedule = (afterMs: number) => {
    pending = setTimeout(start, afterMs);
  };
  const start = () => {
    poked = false;
    running = runOnce(o, stop.signal).finally(() => {
      running = undefined;
      if (!stop.signal.aborted) schedule(poked ? 0 : interval());
    });
  };
  schedule(interval());

  return {
    poke() {
      if (stop.signal.aborted || poked) return;
      poked = true;
      if (running !== undefined) return;
      clearTimeout(pending);
      schedule(0);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      clearTimeout(pending);
      await running;
    },
  };
}

async function runOnce(o: TimerOptions, signal: AbortSignal): Promise<void> {
  try {
    await o.run(signal);
  } catch (error) {
    if (!signal.aborted) o.log.error("timer.failed", { timer: o.name, error });
  }
}
