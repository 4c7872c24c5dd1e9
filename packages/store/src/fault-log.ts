import type { Logger } from "@smartcart/runtime";
import { createThrottle, reasonOf } from "@smartcart/runtime";
import { isConnectionError } from "./sql-errors.ts";

const intervalMs = 10_000;

/**
 * Says that the database is away: at the first fault, and then at most every ten seconds with how many there were since. A
 * thousand callers that meet the same fault are one line.
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
