import type { Logger } from "@smartcart/runtime";
import { createThrottle, reasonOf } from "@smartcart/runtime";
import { isConnectionError } from "./sql-errors.ts";

const intervalMs = 10_000;

/**
 * Logs that the database is unreachable: at the first fault, and then at most every ten seconds with the number of faults since. A
 * thousand callers with the same fault make one line.
 */
export function createFaultLog(schema: string, log: Logger): (error: unknown) => void {
  const throttle = createThrottle(intervalMs);
  return (error) => {
    if (!isConnectionError(error)) return;
    const faults = throttle();
    if (faults === 0) return;
    log.warn("database.unavailable", { schema, faults, message: reasonOf(error) });
  };
}
