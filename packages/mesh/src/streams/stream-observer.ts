import { AsyncLocalStorage } from "node:async_hooks";

/** What to do with a stream of messages on its way out. */
export interface StreamObserver {
  /** When it is aborted, the reader gets its reason at once, even if the source hangs. */
  readonly signal?: AbortSignal;
  /** What an error of the source becomes. */
  readonly mapError?: (thrown: unknown) => unknown;
  /** Called once, when the stream has ended; `error` is set when it failed. */
  readonly onEnd?: (error?: unknown) => void;
}

/**
 * The same messages, observed. Every step of the source runs in the asynchronous context in which this function was
 * called: a generator would otherwise run in the context of its reader, without trace and call scope.
 */
export function observeStream<T>(
  source: AsyncIterable<T>,
  watch: StreamObserver,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => new WatchedIterator(source[Symbol.asyncIterator](), watch),
  };
}

class WatchedIterator<T> implements AsyncIterator<T> {
  readonly #source: AsyncIterator<T>;
  readonly #watch: StreamObserver;
  readonly #inContext = AsyncLocalStorage.snapshot();
  #ended = false;

  constructor(source: AsyncIterator<T>, watch: StreamObserver) {
    this.#source = source;
    this.#watch = watch;
  }

  async next(): Promise<IteratorResult<T>> {
    try {
      const result = await this.#step();
      if (result.done === true) {
        this.#end();
      }
      return result;
    } catch (thrown) {
      const error = this.#watch.mapError?.(thrown) ?? thrown;
      this.#end(error);
      this.#release();
      throw error;
    }
  }

  async return(value?: unknown): Promise<IteratorResult<T>> {
    this.#end();
    this.#release();
    return { done: true, value };
  }

  async throw(reason: unknown): Promise<IteratorResult<T>> {
    this.#end(reason);
    this.#release();
    throw reason;
  }

  #step(): Promise<IteratorResult<T>> {
    const { signal } = this.#watch;
    const step = () => this.#inContext(() => this.#source.next());
    return signal === undefined ? step() : abortable(signal, step);
  }

  #end(error?: unknown): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#watch.onEnd?.(error);
    }
  }

  /** Lets the source clean up. Not awaited: a source that hangs would hold up the answer. */
  #release(): void {
    this.#inContext(() => this.#source.return?.())?.catch(() => undefined);
  }
}

/** The promise of `start`, or the reason of the signal as soon as it is aborted. Leaves no listener behind. */
export function abortable<T>(signal: AbortSignal, start: () => Promise<T>): Promise<T> {
  if (signal.aborted) {
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const settle = () => signal.removeEventListener("abort", onAbort);
    start().then(
      (value) => {
        settle();
        resolve(value);
      },
      (error) => {
        settle();
        reject(error);
      },
    );
  });
}
