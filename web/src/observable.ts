/** A value that tells when it changes. */
export interface Observable<T> {
  get(): T;
  /** Listeners run at once, in the order they came, and only where the value is another one (`Object.is`). */
  set(value: T): void;
  /** Calls `listener` after every change. Returns the function that ends it. */
  subscribe(listener: () => void): () => void;
}

/** Listeners are called synchronously, and only where the new value is not the same (`Object.is`). */
export function createObservable<T>(initial: T): Observable<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
