import type { Logger } from "./logger.ts";
import { createThrottle } from "./throttle.ts";
import { timerMs } from "./timer-bounds.ts";

interface TimerOptions {
  /** Pause between the end of one run and the start of the next, in milliseconds. The shortest one where `run` returns a pause. */
  intervalMs: number;
  /** Longest pause that `run` may return, in milliseconds: the longest delay of work that nothing has signalled. Default: `intervalMs`. */
  longestMs?: number;
  log: Logger;
  /** Names the timer in the log: "outbox.relay". */
  name: string;
  /**
   * `signal` fires when the timer is disposed of. An error is logged, at most every ten seconds while runs fail, and the next run is
   * started as usual. May return the pause until there is work again, in milliseconds (`Infinity`: none); it is limited to the two
   * bounds.
   */
  run: (signal: AbortSignal) => Promise<number | undefined> | Promise<void>;
}

/** A running timer. */
export interface Timer extends AsyncDisposable {
  /** Runs as soon as possible: now, or right after the run under way. Several pokes become one run. */
  poke(): void;
  /** Runs in so many milliseconds at the latest, whatever the pause is. */
  runWithin(ms: number): void;
}

const failureLogIntervalMs = 10_000;

/** Repeats `run`, first after one interval. Runs never overlap. Disposing waits for the run under way. */
export function startTimer(o: TimerOptions): Timer {
  const stop = new AbortController();
  let pending: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  /** When the next run is due, on the clock of `performance.now()`. */
  let dueAtMs = Number.POSITIVE_INFINITY;

  const noteFailure = createFailureLog(o);
  const runWithin = (ms: number) => {
    const atMs = performance.now() + ms;
    if (stop.signal.aborted || atMs >= dueAtMs) return;
    dueAtMs = atMs;
    if (running !== undefined) return;
    clearTimeout(pending);
    pending = setTimeout(start, timerMs(ms));
  };
  const start = () => {
    dueAtMs = Number.POSITIVE_INFINITY;
    running = runOnce(o, stop.signal, noteFailure).then((pauseMs) => {
      running = undefined;
      // A pause set by `runWithin` during the run counts from that call.
      const askedMs = Math.max(0, dueAtMs - performance.now());
      dueAtMs = Number.POSITIVE_INFINITY;
      runWithin(Math.min(pauseMs, askedMs));
    });
  };
  runWithin(o.intervalMs);

  return {
    poke: () => runWithin(0),
    runWithin,
    async [Symbol.asyncDispose]() {
      stop.abort();
      clearTimeout(pending);
      await running;
    },
  };
}

/** Returns the pause until the next run. Never rejects. */
async function runOnce(
  { run, intervalMs, longestMs = intervalMs }: TimerOptions,
  signal: AbortSignal,
  noteFailure: (error?: unknown) => void,
): Promise<number> {
  try {
    const workInMs = await run(signal);
    noteFailure();
    return workInMs === undefined
      ? intervalMs
      : Math.max(intervalMs, Math.min(longestMs, workInMs));
  } catch (error) {
    if (!signal.aborted) noteFailure(error);
    return intervalMs;
  }
}

/** To be called after each run, with its error if it failed; `failures` counts those in a row. */
function createFailureLog(o: TimerOptions): (error?: unknown) => void {
  let failures = 0;
  const throttle = createThrottle(failureLogIntervalMs);
  return (error) => {
    if (error === undefined) {
      failures = 0;
      return;
    }
    failures++;
    const isDue = throttle() > 0;
    if (failures > 1 && !isDue) return;
    o.log.error("timer.failed", { timer: o.name, failures, error });
  };
}
