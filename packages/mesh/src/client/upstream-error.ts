import { Code, ConnectError } from "@connectrpc/connect";
import { markReceived } from "../errors/error-mapping.ts";

/** The error of a call whose time is up. */
export function deadlineError(): ConnectError {
  return markReceived(new ConnectError("the operation timed out", Code.DeadlineExceeded));
}

/**
 * Once more, where the server says that it has not begun with the call: it closed the connection just when the call was
 * sent. That is safe for every method (RFC 9113, 8.7), whatever its retry policy.
 */
export async function onceMoreIfRefused<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (nodeError(error)?.message.includes("NGHTTP2_REFUSED_STREAM")) {
      return attempt();
    }
    throw error;
  }
}

/**
 * A connection that breaks is "aborted" or "internal" to Connect; to a caller the service is not available then, and
 * the outcome unknown.
 */
export function upstreamError(thrown: unknown): ConnectError {
  const error = ConnectError.from(thrown);
  const broken = error.code === Code.Aborted || error.code === Code.Internal;
  if (broken && nodeError(error) !== undefined) {
    return markReceived(
      new ConnectError("the connection broke", Code.Unavailable, error.metadata, undefined, error),
    );
  }
  return markReceived(error);
}

/** For `catch`: see `upstreamError`. */
export function throwUpstream(thrown: unknown): never {
  throw upstreamError(thrown);
}

/** The error of Node's network modules that a ConnectError wraps. */
function nodeError(thrown: unknown): Error | undefined {
  // An error of a server always has details; within the process its cause is the server's own business.
  const isOurs = thrown instanceof ConnectError && thrown.details.length === 0;
  const cause = isOurs ? thrown.cause : undefined;
  return cause instanceof Error && "code" in cause && typeof cause.code === "string"
    ? cause
    : undefined;
}
