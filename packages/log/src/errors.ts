/** The errors of the log service. The codes are stable; clients branch on them. */
import { Code } from "@connectrpc/connect";
import { DomainError, ValidationError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

export function invalidPageToken(): ValidationError {
  return new ValidationError([
    {
      field: "pageToken",
      message: "is not a page token of SearchLogs; leave it empty for the first page",
    },
  ]);
}

/** 429. Streams are counted per process. */
export function tooManyWatchers(maxWatchers: number): DomainError {
  return new DomainError({
    code: "TOO_MANY_WATCHERS",
    rpcCode: Code.ResourceExhausted,
    retryAfterMs: 5000,
    title: "Too many log streams",
    message: `${maxWatchers} TailLogs streams are open. Close one, or raise LOG_MAX_WATCHERS.`,
  });
}

export function tooManySearches(): DomainError {
  return new DomainError({
    code: "TOO_MANY_SEARCHES",
    rpcCode: Code.ResourceExhausted,
    retryAfterMs: 2000,
    title: "Too many searches",
    message:
      "Too many searches are waiting. This search was not started: retry it after the stated time.",
  });
}

/** 429 without a retry time: the same search would take as long again. */
export function searchTooCostly(seconds: number, cause?: unknown): DomainError {
  return new DomainError({
    code: "SEARCH_TOO_COSTLY",
    rpcCode: Code.ResourceExhausted,
    title: "Search too costly",
    message: `The search did not complete within ${seconds} seconds. Narrow the filter: set an order, a trace, or a shorter period with since and until.`,
    cause,
  });
}

/** Problem for callers while the database is unavailable. */
export const logUnavailable: Unavailable = {
  code: "LOG_UNAVAILABLE",
  title: "Log unavailable",
  message: "The log database is unavailable. Retry the same call.",
};
