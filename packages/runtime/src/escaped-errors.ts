import { Counter } from "prom-client";
import type { Logger } from "./logger.ts";
import { createThrottle } from "./throttle.ts";

/**
 * Error codes that concern one connection, file or stream: its peer went away, was not reachable, or no descriptor was left for it.
 */
const ofOneStream: ReadonlySet<string> = new Set([
  "EADDRNOTAVAIL",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EIO",
  "EMFILE",
  "ENETDOWN",
  "ENETUNREACH",
  "ENFILE",
  "ENOBUFS",
  "ENOSPC",
  "ENOTCONN",
  "EPIPE",
  "EPROTO",
  "ETIMEDOUT",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_WRITE_AFTER_END",
]);

const ofOneConnection = /^(?:HPE_|ERR_HTTP2_|ERR_SSL_)/;

/** Errors that reached the process although a request, a message or a timer should have caught them. */
export const escapedErrors = new Counter({
  name: "process_escaped_errors_total",
  help: "Errors that nothing caught; any other code than these ends the process",
  labelNames: ["code"] as const,
  registers: [],
});

/**
 * Whether the process can go on after an error that nothing caught.
 *
 * Every callback catches its own errors, so there should be none. Node's advice is to end the process after one, since the
 * interrupted code may have left something half done. That holds for a bug, whose effects are unknown. It does not hold for an error
 * of one stream: Node emits it from the event loop, on a stream that is closed already, with none of our code on the stack. It means
 * that one peer is gone, and the code that uses the stream learns of it by a "close" event or a time-out. Ending the process would
 * cut off all other peers.
 */
function isSurvivable(error: unknown): boolean {
  const code = codeOf(error);
  return ofOneStream.has(code) || ofOneConnection.test(code);
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/** Log lines per second, so that a shortage of descriptors does not fill the log as well. */
const logPauseMs = 1_000;

/** What the process does with an error that nothing caught: counts and survives it, or calls `end`. */
export function createLastDefence(log: Logger, end: (error: unknown) => void) {
  const throttle = createThrottle(logPauseMs);
  return (error: unknown): void => {
    if (!isSurvivable(error)) {
      end(error);
      return;
    }
    escapedErrors.inc({ code: codeOf(error) });
    const errors = throttle();
    if (errors === 0) return;
    log.error("process.error_escaped", { error, ...(errors > 1 && { unlogged: errors - 1 }) });
  };
}
