/** Every way in which the log service says no. The codes are stable; clients branch on them. */
import { Code } from "@connectrpc/connect";
import { DomainError, ValidationError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

export function invalidPageToken(): ValidationError {
  return new ValidationError([
    { field: "pageToken", message: "is no token of a search; begin again without one" },
  ]);
}

export function tooManyWatchers(maxWatchers: number): DomainError {
  return new DomainError({
    code: "TOO_MANY_WATCHERS",
    rpcCode: Code.ResourceExhausted,
    retryAfterMs: 5000,
    title: "Too many follow the log",
    message: `${maxWatchers} streams follow the log already. Close one, or raise LOG_MAX_WATCHERS.`,
  });
}

export function tooManySearches(): DomainError {
  return new DomainError({
    code: "TOO_MANY_SEARCHES",
    rpcCode: Code.ResourceExhausted,
    retryAfterMs: 2000,
    title: "Too many search the log",
    message:
      "The log is searched by so many that this search would wait for too long. Nothing has begun: send it again after the time stated.",
  });
}

export function searchTooCostly(seconds: number, cause: unknown): DomainError {
  return new DomainError({
    code: "SEARCH_TOO_COSTLY",
    rpcCode: Code.ResourceExhausted,
    title: "The search takes too long",
    message: `Nothing was found within ${seconds} seconds. Look in less: name an order, a trace, or a shorter time with since and until.`,
    cause,
  });
}

/** What a caller is told while the database is away. */
export const logUnavailable: Unavailable = {
  code: "LOG_UNAVAILABLE",
  title: "The log cannot be read",
  message: "The log service has lost its database for the moment. Send the same call again.",
};
