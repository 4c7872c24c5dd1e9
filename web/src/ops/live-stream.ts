import { backoffMs, pause } from "../backoff.ts";
import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";

/** Whether the data that is shown is current. */
export type StreamState = "connecting" | "live" | "interrupted" | "denied";

interface LiveStreamOptions<T> {
  /** Begins the stream. */
  readonly open: (signal: AbortSignal) => AsyncIterable<T>;
  /** `first` is true for the first message of each connection. */
  readonly onMessage: (message: T, first: boolean) => void;
  /** Whether an error means that access is denied; then the stream stays closed until `restart`. */
  readonly isDenied: (error: unknown) => boolean;
  /** Whether it rests: asked at each `restart`. Default: never. */
  readonly isPaused?: () => boolean;
  /** Ends it for good. */
  readonly signal: AbortSignal;
  /**
   * Longest pause between two messages, in milliseconds; after a longer one the stream counts as broken. Unset for streams that
   * may have no messages: those count as live after they have been open for two seconds.
   */
  readonly silenceMs?: number;
}

/** A stream that begins again by itself, with backoff, and sleeps while the page is hidden. */
export interface LiveStream extends Pick<Observable<StreamState>, "get" | "subscribe"> {
  /** Begins anew at once. */
  restart(): void;
}

/** Time after which an open stream without messages counts as live, in milliseconds. */
const quietOpenMs = 2_000;

/** Opens the stream again with growing pauses until `signal` fires. It is closed while the tab is hidden. */
export function startLiveStream<T>(options: LiveStreamOptions<T>): LiveStream {
  const { signal } = options;
  const state = createObservable<StreamState>("connecting");
  let running: AbortController | undefined;

  // A hidden tab shows nothing, so it costs nothing: neither the service nor the battery.
  const restart = (): void => {
    running?.abort();
    if (signal.aborted || document.hidden || options.isPaused?.()) return;
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
    silenceMs === undefined ? quietOpenMs : silenceMs * 2,
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
