/** SQLSTATE codes we act on (PostgreSQL documentation, appendix A). */
export const sqlState = {
  uniqueViolation: "23505",
  checkViolation: "23514",
  serializationFailure: "40001",
  deadlockDetected: "40P01",
  invalidPassword: "28P01",
  invalidAuthorization: "28000",
  unknownDatabase: "3D000",
  insufficientPrivilege: "42501",
  readOnly: "25006",
} as const;

/**
 * No connection could be acquired for a statement; `cause` says why. Nothing was sent, so that it can be retried.
 */
export class DatabaseUnavailableError extends Error {
  readonly code = "DATABASE_UNAVAILABLE";

  constructor(message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "DatabaseUnavailableError";
  }
}

/** True when the error or one of its causes is a violation of a unique constraint or index. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlStateOf(error) === sqlState.uniqueViolation;
}

/** True when the error or one of its causes is a violation of a check constraint. */
export function isCheckViolation(error: unknown): boolean {
  return sqlStateOf(error) === sqlState.checkViolation;
}

/** The five-character SQLSTATE of the error or of its nearest cause that has one. */
export function sqlStateOf(error: unknown): string | undefined {
  return findInCauses(error, (e) => {
    // Every error that PostgreSQL itself reports has a severity; other libraries use five-letter codes too (EPIPE).
    const { code, severity } = e as { code?: unknown; severity?: unknown };
    return typeof code === "string" && severity !== undefined ? code : undefined;
  });
}

/** The name of the violated constraint or unique index. */
export function constraintOf(error: unknown): string | undefined {
  return findInCauses(error, (e) => {
    const { constraint } = e as { constraint?: unknown };
    return typeof constraint === "string" ? constraint : undefined;
  });
}

const networkCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

// The driver reports these without any code, and poolers a full house with one that says nothing.
const connectionMessages =
  /^Connection terminated|^timeout expired|^Query read timeout|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed)|max clients reached|no more connections allowed/;

/**
 * True when the database could not be reached, went away, or cannot take the work now: worth another try later, on another
 * connection. What a statement under way did then is not known.
 */
export function isConnectionError(error: unknown): boolean {
  return (
    findInCauses(error, (e) => {
      if (e instanceof DatabaseUnavailableError) return true;
      const { code } = e as { code?: unknown };
      if (typeof code === "string" && isConnectionCode(code)) return true;
      if (e instanceof AggregateError && e.errors.some(isConnectionError)) return true;
      return connectionMessages.test(e.message) || undefined;
    }) ?? false
  );
}

/**
 * Class 08 is "connection exception", class 53 "insufficient resources" (too many clients, a full disk), 57P01 to 57P05 end
 * a session or reject one, and 25006 comes from a server that a failover has made read-only.
 */
function isConnectionCode(code: string): boolean {
  return networkCodes.has(code) || /^(08...|53...|57P0.|25006)$/.test(code);
}

/**
 * True when the error says nothing about what was asked for, only about the moment: the database is away, the statement was
 * cancelled or took too long, or others were in the way.
 */
export function isFaultOfTheMoment(error: unknown): boolean {
  return isConnectionError(error) || /^(57...|55P03|40...)$/.test(sqlStateOf(error) ?? "");
}

function findInCauses<T>(error: unknown, pick: (e: Error) => T | undefined): T | undefined {
  let current = error;
  // bounded: a cause may point back to its error
  for (let depth = 0; depth < 10 && current instanceof Error; depth++) {
    const found = pick(current);
    if (found !== undefined) return found;
    current = current.cause;
  }
  return undefined;
}
