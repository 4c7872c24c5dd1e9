import { backoffMs, pause } from "../backoff.ts";
import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";

/** Whether what is shown is what is. */
export type StreamState = "connecting" | "live" | "interrupted" | "denied";

export interface LiveStreamOptions<T> {
  /** Begins the stream. */
  readonly open: (signal: AbortSignal) => AsyncIterable<T>;
  /** `first` is true for the first message of each connection. */
  readonly onMessage: (message: T, first: boolean) => void;
  /** Whether an error says that the caller may not; then nothing is tried until `restart`. */
  readonly isDenied: (error: unknown) => boolean;
  /** Ends it for good. */
  readonly signal: AbortSignal;
  /**
   * Longest silence of a stream that lives, in milliseconds: a longer one counts as broken. Unset for a stream that
   * may have nothing to say, which then counts as live when it is open for two seconds.
   */
  readonly silenceMs?: number;
}

/** A stream that begins again by itself, with backoff, and sleeps while the page is hidden. */
export interface LiveStream extends Pick<Observable<StreamState>, "get" | "subscribe"> {
  /** Begins anew at once. */
  restart(): void;
}

/** How long a stream without a word is given to fail. */
const QUIET_OPEN_MS = 2_000;

export function startLiveStream<T>(options: LiveStreamOptions<T>): LiveStream {
  const { signal } = options;
  const state = createObservable<StreamState>("connecting");
  let running: AbortController | undefined;

  // A browser has six HTTP/1.1 connections to an origin, and each stream holds one: hidden tabs give theirs back.
  const restart = (): void => {
    running?.abort();
    if (signal.aborted || document.hidden) return;
    running = new AbortController();
    state.set("connecting");
    keepOpen(options, state, AbortSignal.any([signal, running.signal])).catch(() => {});
  };
  document.addEventListener("visibilitychange", restart, { signal });
  signal.addEventListener("abort", () => running?.abort());
  restart();
  return { get: state.get, subscribe: state.subscribe, restart };
}

/** Opens the stream again and again; returns where the caller may not, and rejects when `ended`. */
async function keepOpen<T>(
  options: LiveStreamOptions<T>,
  state: Observable<StreamState>,
  ended: AbortSignal,
): Promise<void> {
  for (let failures = 0; ; failures += 1) {
    try {
      await readOnce(options, ended, () => {
        failures = 0;
        if (!ended.aborted) state.set("live");
      });
    } catch (error) {
      ended.throwIfAborted();
      if (options.isDenied(error)) return state.set("denied");
    }
    ended.throwIfAborted();
    state.set("interrupted");
    await pause(backoffMs(failures, Math.random()), ended);
  }
}

/** Reads one connection to its end. */
async function readOnce<T>(
  options: LiveStreamOptions<T>,
  ended: AbortSignal,
  onLive: () => void,
): Promise<void> {
  const { open, onMessage, silenceMs } = options;
  const silent = new AbortController();
  let timer = setTimeout(
    () => (silenceMs === undefined ? onLive() : silent.abort()),
    // The first answer may carry minutes of the past.
    silenceMs === undefined ? QUIET_OPEN_MS : silenceMs * 2,
  );
  let first = true;
  try {
    for await (const message of open(AbortSignal.any([ended, silent.signal]))) {
      clearTimeout(timer);
      if (silenceMs !== undefined) timer = setTimeout(() => silent.abort(), silenceMs);
      onLive();
      onMessage(message, first);
      first = false;
    }
  } finally {
    clearTimeout(timer);
  }
}
