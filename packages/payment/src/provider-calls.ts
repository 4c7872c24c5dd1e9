/** Calls to the provider, each with a time-out, all ended together at shutdown. */
export interface ProviderCalls extends AsyncDisposable {
  /**
   * Runs a call; rejects at the time-out even where the provider ignores its signal. Until then the call continues,
   * even if its caller no longer waits.
   */
  run<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Creates the frame for calls that may take up to `timeoutMs`. Disposing aborts those under way. */
export function createProviderCalls(timeoutMs: number): ProviderCalls {
  // One controller a call rather than AbortSignal.any: a shared signal would collect a listener with every charge.
  const underWay = new Set<AbortController>();

  return {
    async run(call) {
      const controller = new AbortController();
      const { signal } = controller;
      const gaveUp = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => gaveUp.reject(signal.reason), { once: true });
      const timer = setTimeout(() => {
        controller.abort(new Error(`the provider did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      underWay.add(controller);
      try {
        return await Promise.race([call(signal), gaveUp.promise]);
      } finally {
        clearTimeout(timer);
        underWay.delete(controller);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const controller of underWay) controller.abort(new Error("the service is stopping"));
    },
  };
}

/** The promise, or `late()` as an error where it takes longer than `boundMs`; the promise itself goes on. */
export async function within<T>(
  promise: Promise<T>,
  boundMs: number,
  late: () => Error,
): Promise<T> {
  const bound = Promise.withResolvers<never>();
  const timer = setTimeout(() => bound.reject(late()), boundMs);
  try {
    return await Promise.race([promise, bound.promise]);
  } finally {
    clearTimeout(timer);
  }
}
