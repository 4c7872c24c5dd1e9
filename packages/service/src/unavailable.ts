import { Code, ConnectError } from "@connectrpc/connect";
import type { DomainErrorInit, ErrorMapper } from "@smartcart/mesh";
import { DomainError } from "@smartcart/mesh";
import { isConnectionError } from "@smartcart/store";

/** How a service says that it has no database for the moment. The code is stable: "STOCK_UNAVAILABLE". */
export type Unavailable = Pick<DomainErrorInit, "code" | "title" | "message">;

/** When to send the same call again. */
const retryAfterMs = 1_000;

/**
 * Makes a lost database UNAVAILABLE, which callers may repeat. Any other error stays what it is: also one that is an answer already
 * and has a lost connection among its causes, such as that of another service.
 */
export function unavailableMapper(unavailable: Unavailable): ErrorMapper {
  return (error) => {
    const isAnswer = error instanceof DomainError || error instanceof ConnectError;
    if (isAnswer || !isConnectionError(error)) return error;
    return new DomainError({
      ...unavailable,
      rpcCode: Code.Unavailable,
      retryAfterMs,
      cause: error,
    });
  };
}
