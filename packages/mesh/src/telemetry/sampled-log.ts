import type { LogFields, Logger } from "@smartcart/runtime";

/** Lines of one kind that are written in each window; metrics count them all. */
const linesPerWindow = 10;
const windowMs = 10_000;

interface Window {
  endsAtMs: number;
  lines: number;
  leftOut: number;
}

/**
 * Writes an event that any client can cause at any rate, with level info. Of each kind only the first lines of
 * a window are written; the first of the next window says how many were left out (`leftOut`).
 *
 * @returns writes one line. `kind` comes from a fixed set, such as method and code: each is remembered.
 */
export function createSampledLog(
  log: Logger,
  event: string,
  now: () => number = Date.now,
): (kind: string, fields: LogFields) => void {
  const windows = new Map<string, Window>();
  return (kind, fields) => {
    const atMs = now();
    let window = windows.get(kind);
    if (window === undefined || window.endsAtMs <= atMs) {
      const leftOut = window?.leftOut ?? 0;
      window = { endsAtMs: atMs + windowMs, lines: 1, leftOut: 0 };
      windows.set(kind, window);
      log.info(event, leftOut === 0 ? fields : { ...fields, leftOut });
    } else if (window.lines < linesPerWindow) {
      window.lines += 1;
      log.info(event, fields);
    } else {
      window.leftOut += 1;
    }
  };
}
