/** SQLSTATE codes we act on (PostgreSQL documentation, appendix A). */
export const sqlState = {
  uniqueViolation: "23505",
  serializationFailure: "40001",
  deadlockDetected: "40P01",
  invalidPassword: "28P01",
  invalidAuthorization: "28000",
  unknownDatabase: "3D000",
} as const;

/** True when the error, or one of its causes, says that a unique constraint or index refused a row. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlStateOf(error) === sqlState.uniqueViolation;
}

/** The five-character SQLSTATE of the error or of its nearest cause that has one. */
export function sqlStateOf(error: unknown): string | undefined {
  return findInCauses(error, (e) => {
    // Every error that PostgreSQL itself reports has a severity; other libraries use five-letter codes too (EPIPE).
    const { code, severity } = e as { code?: unknown; severity?: unknown };
    return typeof code === "string" && severity !== undefined ? code : undefined;
  });
}

/** The name of the constraint or unique index that refused a row. */
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

// pg reports these without any code
const connectionMessages =
  /^Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/**
 * True when the database could not be reached, or went away: worth another try later. What a statement under way did
 * then is not known.
 */
export function isConnectionError(error: unknown): boolean {
  return (
    findInCauses(error, (e) => {
      const { code } = e as { code?: unknown };
      if (typeof code === "string" && isConnectionCode(code)) return true;
      if (e instanceof AggregateError && e.errors.some(isConnectionError)) return true;
      return connectionMessages.test(e.message) || undefined;
    }) ?? false
  );
}

/** Class 08 is "connection exception"; 57P01 to 57P03 say that the server is stopping or not yet ready. */
function isConnectionCode(code: string): boolean {
  return networkCodes.has(code) || /^08...$/.test(code) || /^57P0[123]$/.test(code);
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
