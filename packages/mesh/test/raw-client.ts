import { connect } from "node:net";

/** How bytes are sent. */
export interface RawOptions {
  /** Closes its own side after the bytes, and continues to read. */
  readonly halfClose?: boolean;
  /** Sent when the first bytes of an answer have come; bytes as latin1. */
  readonly followUp?: string;
  /** Waits at most so long for the other side to close; default 5000. */
  readonly waitMs?: number;
  /** Stops waiting once what was received satisfies it. */
  readonly until?: (received: string) => boolean;
}

/** What came back: everything that was received, and whether the other side has closed the connection. */
export interface RawAnswer {
  readonly text: string;
  readonly closed: boolean;
  /** The code of the error that ended the connection, such as ECONNRESET. */
  readonly error: string | undefined;
}

/** Sends bytes to a port of this machine, and reads what comes back. */
export function exchange(
  port: number,
  bytes: string | Uint8Array,
  { halfClose = false, followUp, waitMs = 5000, until = () => false }: RawOptions = {},
): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  let error: string | undefined;
  const finish = (closed: boolean) => {
    clearTimeout(timer);
    resolve({ text, closed, error });
    socket.destroy();
  };
  const timer = setTimeout(() => finish(false), waitMs);
  const payload = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  socket.once("connect", () => (halfClose ? socket.end(payload) : socket.write(payload)));
  if (followUp !== undefined) socket.once("data", () => socket.write(followUp, "latin1"));
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    if (until(text)) finish(false);
  });
  socket.on("error", (cause: NodeJS.ErrnoException) => {
    error = cause.code;
  });
  socket.once("end", () => finish(true)).once("close", () => finish(true));
  return promise;
}

/** The status of the first answer; 0: there is none. */
export function statusOf({ text }: RawAnswer): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
}

/** A request of HTTP/1.1 as text; `Host` is added where the headers have none. */
export function request(line: string, headers: readonly string[] = [], body = ""): string {
  const hasHost = headers.some((header) => /^host:/i.test(header));
  const all = [...(hasHost ? [] : ["Host: localhost"]), ...headers];
  return `${line} HTTP/1.1\r\n${all.map((header) => `${header}\r\n`).join("")}\r\n${body}`;
}
