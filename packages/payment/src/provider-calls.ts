import { withTimeout } from "@smartcart/runtime";

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
      // Where it is aborted already, this changes nothing, and the reason stays the shutdown.
      const late = (): never => {
        controller.abort(new Error(`the provider did not answer within ${timeoutMs} ms`));
        throw signal.reason;
      };
      underWay.add(controller);
      try {
        return await withTimeout(call(signal), timeoutMs, late, signal);
      } finally {
        underWay.delete(controller);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const controller of underWay) controller.abort(new Error("the service is stopping"));
    },
  };
}
