import type { Logger } from "@smartcart/runtime";
import { reasonOf } from "@smartcart/runtime";
import { isConnectionError } from "./sql-errors.ts";

const intervalMs = 10_000;

/**
 * Says that the database is away: at the first fault, and then at most every ten seconds with how many there were since. A
 * thousand callers that meet the same fault are one line.
 */
export function createFaultLog(schema: string, log: Logger): (error: unknown) => void {
  let faults = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (!isConnectionError(error)) return;
    faults++;
    if (performance.now() - lastMs < intervalMs) return;
    log.warn("database.unavailable", { schema, faults, message: reasonOf(error) });
    lastMs = performance.now();
    faults = 0;
  };
}
