import type { Logger } from "./logger.ts";

export interface TimerOptions {
  /** Pause between the end of one run and the start of the next. */
  intervalMs: number;
  log: Logger;
  /** Names the timer in the log: "outbox.relay". */
  name: string;
  /**
   * `signal` fires when the timer is disposed of. What it throws is logged, and the next run comes as usual; while it goes on
   * failing, at most every ten seconds.
   */
  run: (signal: AbortSignal) => Promise<void>;
}

/** A running timer. */
export interface Timer extends AsyncDisposable {
  /** Runs as soon as possible: now, or right after the run under way. Several pokes become one run. */
  poke(): void;
}

const failureLogIntervalMs = 10_000;

/** Repeats `run`, first after one interval. Runs never overlap. Disposing waits for the run under way. */
export function startTimer(o: TimerOptions): Timer {
  const stop = new AbortController();
  let pending: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let poked = false;

  const noteFailure = createFailureLog(o);
  const schedule = (afterMs: number) => {
    pending = setTimeout(start, afterMs);
  };
  const start = () => {
    poked = false;
    running = runOnce(o, stop.signal, noteFailure).finally(() => {
      running = undefined;
      if (!stop.signal.aborted) schedule(poked ? 0 : o.intervalMs);
    });
  };
  schedule(o.intervalMs);

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

async function runOnce(
  o: TimerOptions,
  signal: AbortSignal,
  noteFailure: (error?: unknown) => void,
): Promise<void> {
  try {
    await o.run(signal);
    noteFailure();
  } catch (error) {
    if (!signal.aborted) noteFailure(error);
  }
}

/** Is told how each run went; `failures` counts those in a row. */
function createFailureLog(o: TimerOptions): (error?: unknown) => void {
  let failures = 0;
  let loggedMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (error === undefined) {
      failures = 0;
      return;
    }
    failures++;
    if (failures > 1 && performance.now() - loggedMs < failureLogIntervalMs) return;
    loggedMs = performance.now();
    o.log.error("timer.failed", { timer: o.name, failures, error });
  };
}
