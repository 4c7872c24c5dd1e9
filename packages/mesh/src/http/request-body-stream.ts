import { Code, ConnectError } from "@connectrpc/connect";
import { mapError } from "../errors/error-mapping.ts";
import type { NodeRequest } from "./node-http.ts";

/** How often bodies that are waited for are looked at: one that stalls ends so much later than its deadline at most. */
const sweepEveryMs = 250;

/** Bodies of which a chunk is waited for. One timer for all: most of them come at once, and a timer each costs more. */
const awaited = new Set<RequestBody>();
let sweep: NodeJS.Timeout | undefined;

/**
 * The body of a request, chunk by chunk, for as long as the call may last: one that stalls ends with the call's deadline.
 * What is not read is left to the response, which is about to end the connection.
 */
export class RequestBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #req: NodeRequest;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #deadlineAtMs: number | undefined;
  #giveUp: ((reason: unknown) => void) | undefined;

  constructor(req: NodeRequest, deadlineAtMs: number | undefined) {
    this.#req = req;
    this.#source = req.iterator({ destroyOnReturn: false });
    this.#deadlineAtMs = deadlineAtMs;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    // What has arrived already is only taken.
    if (this.#deadlineAtMs === undefined || this.#req.complete) return this.#source.next();
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      awaitChunk(this);
      this.#source.next().then(
        (result) => {
          awaited.delete(this);
          resolve(result);
        },
        (error) => {
          awaited.delete(this);
          reject(error);
        },
      );
    });
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    // Not awaited: it would wait for a chunk that may never come.
    void this.#source.return?.();
    return { done: true, value: undefined };
  }

  /** Ends the waiting for a chunk where the call's deadline has passed. */
  endIfOverdue(nowMs: number): void {
    if (this.#deadlineAtMs === undefined || nowMs < this.#deadlineAtMs) return;
    awaited.delete(this);
    this.#giveUp?.(overdue());
  }
}

function awaitChunk(body: RequestBody): void {
  awaited.add(body);
  sweep ??= setInterval(endOverdue, sweepEveryMs).unref();
}

function endOverdue(): void {
  const nowMs = Date.now();
  for (const body of awaited) body.endIfOverdue(nowMs);
  if (awaited.size > 0) return;
  clearInterval(sweep);
  sweep = undefined;
}

/** Outside of the interceptors, which map all other errors: the caller gets the same. */
function overdue(): ConnectError {
  return mapError(new ConnectError("the operation timed out", Code.DeadlineExceeded)).error;
}
