/** An error as plain JSON data. */
interface SerializedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: SerializedError;
  readonly errors?: readonly SerializedError[];
}

const maxDepth = 5;

/**
 * Name, message, code, stack and causes of anything that was thrown. Other properties are left out: drivers attach sockets and
 * statements with customers' data to their errors.
 */
export function serializeError(error: unknown, depth = 0): SerializedError {
  if (!(error instanceof Error)) return { name: "NonError", message: describe(error) };
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  const hasCode = typeof code === "string" || typeof code === "number";
  const deeper = depth < maxDepth;
  const several = error instanceof AggregateError && deeper ? error.errors.slice(0, 3) : [];
  return {
    name: error.name,
    message: error.message,
    ...(hasCode && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(cause !== undefined && deeper && { cause: serializeError(cause, depth + 1) }),
    ...(several.length > 0 && { errors: several.map((e) => serializeError(e, depth + 1)) }),
  };
}

function describe(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    // circular, or a bigint in it
    return String(thrown);
  }
}
