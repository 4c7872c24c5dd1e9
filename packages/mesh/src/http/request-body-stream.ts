import { Code, ConnectError } from "@connectrpc/connect";
import { mapError } from "../errors/error-mapping.ts";
import type { NodeRequest } from "./node-http.ts";

/** How often bodies that are waited for are looked at: one that stalls ends so much later than its deadline at most. */
const sweepEveryMs = 250;

/** Bodies of which a chunk is waited for. One timer for all: most of them come at once, and a timer each costs more. */
const awaited = new Set<RequestBody>();
let sweep: NodeJS.Timeout | undefined;

type Chunk = IteratorResult<Uint8Array, undefined>;
/** The reader that waits for a chunk. */
interface Reader {
  resolve(chunk: Chunk): void;
  reject(reason: unknown): void;
}
const done: Chunk = { done: true, value: undefined };

/**
 * The body of a request, chunk by chunk, for as long as the call may last: one that stalls ends with the call's deadline.
 * What is not read is left to the response, which is about to end the connection. Not the iterator of Node's own, which costs
 * three times as much: most bodies are one chunk.
 */
export class RequestBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #req: NodeRequest;
  readonly #deadlineAtMs: number | undefined;
  /** What has come and was not asked for yet. The request is paused while there is any. */
  readonly #chunks: Uint8Array[] = [];
  #isRead = false;
  #ended = false;
  #failure: ConnectError | undefined;
  #reader: Reader | undefined;

  constructor(req: NodeRequest, deadlineAtMs: number | undefined) {
    this.#req = req;
    this.#deadlineAtMs = deadlineAtMs;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Chunk> {
    if (!this.#isRead) this.#begin();
    const value = this.#chunks.shift();
    if (value !== undefined) {
      if (this.#chunks.length === 0) this.#req.resume();
      return { done: false, value };
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) return done;
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      if (this.#deadlineAtMs !== undefined) awaitChunk(this);
    });
  }

  async return(): Promise<Chunk> {
    this.#ended = true;
    this.#req.off("data", this.#onData).pause();
    return done;
  }

  /** Ends the waiting for a chunk where the call's deadline has passed. */
  endIfOverdue(nowMs: number): void {
    if (this.#deadlineAtMs === undefined || nowMs < this.#deadlineAtMs) return;
    this.#settle((reader) => reader.reject(overdue()));
  }

  #begin(): void {
    this.#isRead = true;
    const fail = () => this.#fail();
    const end = () => (isCutOff(this.#req) ? this.#fail() : this.#end());
    this.#req.on("data", this.#onData).once("end", end).once("error", fail).once("close", fail);
  }

  readonly #onData = (value: Uint8Array) => {
    if (this.#reader !== undefined) {
      this.#settle((reader) => reader.resolve({ done: false, value }));
      return;
    }
    this.#chunks.push(value);
    this.#req.pause();
  };

  #end(): void {
    this.#ended = true;
    this.#settle((reader) => reader.resolve(done));
  }

  /** The client is gone before the end of the body. */
  #fail(): void {
    if (this.#ended || this.#failure !== undefined) return;
    const failure = new ConnectError("The body of the request ended too early.", Code.Canceled);
    this.#failure = failure;
    this.#settle((reader) => reader.reject(failure));
  }

  #settle(how: (reader: Reader) => void): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    awaited.delete(this);
    how(reader);
  }
}

/** Node ends the body of a stream of HTTP/2 that was reset as if it were whole. */
function isCutOff(req: NodeRequest): boolean {
  return "stream" in req ? req.stream.closed : !req.complete;
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
