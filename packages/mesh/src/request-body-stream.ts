import { ConnectError, createContextKey } from "@connectrpc/connect";
import { mapError } from "./error-mapping.ts";
import type { NodeRequest } from "./rpc-listener.ts";

/** Context value with the body of a call from the network; undefined within the process. */
export const bodyKey = createContextKey<RequestBody | undefined>(undefined, {
  description: "body of the call's request",
});

/**
 * The body of a request, chunk by chunk, for as long as the call may last: one that stalls ends with the call's deadline,
 * with the error that the signal has. What is not read is left to the response, which is about to end the connection.
 */
export class RequestBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  #signal: AbortSignal | undefined;
  #giveUp: ((reason: unknown) => void) | undefined;

  constructor(req: NodeRequest) {
    this.#source = req.iterator({ destroyOnReturn: false });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Bounds the reading by the signal of the call. To be called before anything is read. */
  endWith(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener("abort", this, { once: true });
  }

  /** For `addEventListener`. */
  handleEvent(): void {
    this.#giveUp?.(reasonOf(this.#signal));
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#signal?.aborted) return Promise.reject(reasonOf(this.#signal));
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      this.#source.next().then((result) => {
        if (result.done === true) this.#signal?.removeEventListener("abort", this);
        resolve(result);
      }, reject);
    });
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#signal?.removeEventListener("abort", this);
    // Not awaited: it would wait for a chunk that may never come.
    void this.#source.return?.();
    return { done: true, value: undefined };
  }
}

/** Outside of the interceptors, which map all other errors: the caller gets the same. */
function reasonOf(signal: AbortSignal | undefined): unknown {
  const reason: unknown = signal?.reason;
  return reason instanceof ConnectError ? mapError(reason).error : reason;
}
