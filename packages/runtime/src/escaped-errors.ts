import { Counter } from "prom-client";
import type { Logger } from "./logger.ts";
import { createThrottle } from "./throttle.ts";

/**
 * What the operating system or a protocol says of one connection, file or stream: its other end went away, was never there, or
 * there was no descriptor left for it.
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
 * Every callback is guarded where it begins, so there should be none. Node's advice is to end the process after one, since
 * whoever was interrupted may have left something half done. That is so for a bug: its error may come from anywhere, and what it
 * left behind is unknown. It is not so for an error of one stream: Node emits it when the stream is closed already, from the
 * event loop, with none of our code on the stack. What it means is that one peer is gone, and who works with that peer is told
 * by its own means, a "close" or a time-out. To end the process would cut off all others for it.
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
