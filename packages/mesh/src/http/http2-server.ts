import type {
  Http2Server,
  Http2Session,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import { constants, createServer, Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import type { Logger, TokenBuckets } from "@smartcart/runtime";
import { networkOf } from "@smartcart/runtime";
import { inheritCaller } from "./peer-service.ts";

/** What the HTTP/2 side of a port does with what it reads. */
export interface Http2Options {
  readonly onRequest: (req: Http2ServerRequest, res: Http2ServerResponse) => void;
  /** Streams that a client may have open on one connection. */
  readonly maxStreams: number;
  readonly resets: TokenBuckets;
  readonly log: Logger;
}

/** The HTTP/2 side of a port. */
export interface Http2Side {
  /** Serves a connection. */
  serve(socket: Socket): void;
  /** Every open session. */
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  /** Stops the timers. */
  close(): void;
}

/** Bytes of request bodies that are not complete, on one connection. */
const maxReceivingBytes = 16 * 1024 * 1024;
/** Bytes that a body may always have: a client's small requests do not pay for its large ones. */
const smallBodyBytes = 16 * 1024;
/** Bytes of answers that the client has not taken yet, on one connection. */
const maxUnsentBytes = 32 * 1024 * 1024;
/** Answers up to this size are not counted: all streams together stay below the bound. */
const smallAnswerBytes = 4096;
/** Longest time from the headers of a request to the end of its body, as on HTTP/1.1. */
const requestTimeoutMs = 30_000;
const sweepEveryMs = 5000;
/** How long the rest of a request is read and discarded after an early answer, in milliseconds. */
const lingerMs = 2000;
/** Aborted streams that a connection is forgiven while others of its address have used up the limit. */
const freeResets = 100;

/** What one connection holds. */
interface Connection {
  readonly address: string;
  readonly resets: TokenBuckets;
  receivingBytes: number;
  unsentBytes: number;
  /** Aborted streams since its address was last within the limit. */
  resetsInDebt: number;
  /** Requests of the whole port whose bodies are not complete, oldest first, with the time of their headers. */
  readonly receiving: Map<CountedRequest, number>;
}

const connections = new WeakMap<object, Connection>();

/** An HTTP/2 server whose connections are bounded in what they hold and in how fast they may abort. */
export function createHttp2Side(o: Http2Options): Http2Side {
  const receiving = new Map<CountedRequest, number>();
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2Server(o);
  const sweep = setInterval(() => endOverdue(receiving), sweepEveryMs).unref();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("sessionError", (error) => o.log.debug("http2.session_failed", { error }));
  return {
    sessions,
    serve(socket) {
      // A client that closes its side is gone: its streams end, and its descriptor is free.
      socket.allowHalfOpen = false;
      const opened = (session: ServerHttp2Session) => {
        inheritCaller(session, socket);
        connections.set(session, {
          address: networkOf(socket.remoteAddress ?? ""),
          resets: o.resets,
          receivingBytes: 0,
          unsentBytes: 0,
          resetsInDebt: 0,
          receiving,
        });
      };
      server.once("session", opened);
      server.emit("connection", socket);
      server.off("session", opened);
    },
    close: () => clearInterval(sweep),
  };
}

function createHttp2Server(o: Http2Options): Http2Server {
  return createServer(
    {
      settings: { maxConcurrentStreams: o.maxStreams },
      // More than 100 streams opened before our settings arrived would else end the connection with all its calls.
      maxSessionRejectedStreams: 10 * o.maxStreams,
      // Node ends a session with all its streams at 1,000 aborted ones. Here the address counts: see `noteReset`.
      streamResetBurst: 10_000_000,
      streamResetRate: 10_000_000,
      Http2ServerRequest: CountedRequest as typeof Http2ServerRequest,
      Http2ServerResponse: CountedResponse as typeof Http2ServerResponse,
    },
    o.onRequest,
  );
}

/** A request whose body counts against its connection until it is complete. */
class CountedRequest extends Http2ServerRequest {
  readonly #connection: Connection | undefined;
  #bytes = 0;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    options: object,
    rawHeaders: readonly string[],
  ) {
    super(stream, headers, options, rawHeaders);
    this.#connection = stream.session && connections.get(stream.session);
    stream.on("aborted", onAborted);
    if (!stream.endAfterHeaders) this.#connection?.receiving.set(this, Date.now());
  }

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk === null) this.#release();
    else this.#hold(chunk.length);
    return super.push(chunk, encoding);
  }

  #hold(bytes: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#bytes += bytes;
    connection.receivingBytes += bytes;
    if (connection.receivingBytes > maxReceivingBytes && this.#bytes > smallBodyBytes) {
      refuse(this.stream);
    }
  }

  #release(): void {
    const connection = this.#connection;
    if (connection === undefined || !connection.receiving.delete(this)) return;
    connection.receivingBytes -= this.#bytes;
    this.#bytes = 0;
  }
}

/** An answer that counts against its connection until the client has taken it. */
class CountedResponse extends Http2ServerResponse {
  readonly #connection: Connection | undefined;
  #unsent = 0;

  constructor(stream: ServerHttp2Stream) {
    super(stream);
    this.#connection = stream.session && connections.get(stream.session);
  }

  override write(...args: unknown[]): boolean {
    const more = super.write(...(args as [string]));
    this.#count();
    return more;
  }

  override end(...args: unknown[]): this {
    super.end(...(args as [string]));
    if (!this.stream.endAfterHeaders && !this.req.readableEnded) lingerAfterwards(this.stream);
    return this;
  }

  #count(): void {
    const connection = this.#connection;
    const unsent = this.stream.writableLength;
    if (connection === undefined || (unsent <= smallAnswerBytes && this.#unsent === 0)) return;
    if (this.#unsent === 0) this.once("close", () => this.#settle(connection, 0));
    this.#settle(connection, unsent);
    if (connection.unsentBytes > maxUnsentBytes) refuse(this.stream);
  }

  #settle(connection: Connection, unsent: number): void {
    connection.unsentBytes += unsent - this.#unsent;
    this.#unsent = unsent;
  }
}

/** Ends a stream for what its connection holds already; to gRPC that is RESOURCE_EXHAUSTED. */
function refuse(stream: ServerHttp2Stream): void {
  stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

/**
 * A client that still sends when it has its answer has what it sends thrown away for a while, since one that waits for
 * the window of the stream would not read the answer; then it is told to stop (RFC 9113, 8.1).
 */
function lingerAfterwards(stream: ServerHttp2Stream): void {
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), lingerMs);
  stream.once("close", () => clearTimeout(timer));
  stream.removeAllListeners("data").resume();
}

/** The oldest come first, so that the sweep ends at the first one that is not overdue. */
function endOverdue(receiving: ReadonlyMap<CountedRequest, number>): void {
  const overdueAt = Date.now() - requestTimeoutMs;
  for (const [{ stream }, atMs] of receiving) {
    if (atMs > overdueAt) return;
    // What answers before it has read all, as a stream in both directions does, has begun its work.
    if (!stream.headersSent) stream.close(constants.NGHTTP2_CANCEL);
  }
}

function onAborted(this: ServerHttp2Stream): void {
  const { session } = this;
  if (session === undefined) return;
  const connection = connections.get(session);
  if (connection !== undefined) noteReset(session, connection);
}

/**
 * A client may abort streams, and its other calls must not suffer from it. One that floods the server with aborts
 * (CVE-2023-44487) loses the connection, and its next one waits until its address is within the limit again.
 */
function noteReset(session: Http2Session, connection: Connection): void {
  const { address, resets } = connection;
  resets.charge(address);
  if (resets.debtMs(address) === 0) {
    connection.resetsInDebt = 0;
    return;
  }
  connection.resetsInDebt += 1;
  if (connection.resetsInDebt > freeResets) {
    session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
