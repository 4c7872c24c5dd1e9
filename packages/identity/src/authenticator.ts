import { createHash, timingSafeEqual } from "node:crypto";
import type { Principal } from "./principal.ts";
import { anonymous } from "./principal.ts";
import { TokenError } from "./token-error.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** The credentials of customers and operators. */
export interface AuthenticatorOptions {
  /** Undefined: no access token is accepted. */
  readonly verifyToken: TokenVerifier | undefined;
  /** Its bearer is an operator. Undefined: no such token is accepted. */
  readonly opsToken: string | undefined;
}

/**
 * Identifies the sender of a request by its `Authorization` header (RFC 6750, 2.1); without one the principal is anonymous.
 *
 * @throws TokenError, KeysUnavailableError as `TokenVerifier`.
 */
export type Authenticator = (authorization: string | null) => Principal | Promise<Principal>;

/** Undefined credentials are not accepted: with neither of them every request with a bearer token is rejected. */
export function createAuthenticator({
  verifyToken,
  opsToken,
}: AuthenticatorOptions): Authenticator {
  const isOpsToken = opsToken === undefined ? () => false : createComparison(opsToken);
  return (authorization) => {
    if (authorization === null) return anonymous;
    const [, token] = /^bearer +([\x21-\x7e]+)$/i.exec(authorization) ?? [];
    if (token === undefined) {
      throw new TokenError("malformed", "Authorization must be: Bearer <token>.");
    }
    if (isOpsToken(token)) {
      return { kind: "operator", subject: "ops-token", expiresAtMs: Number.POSITIVE_INFINITY };
    }
    if (verifyToken === undefined) {
      throw new TokenError("invalid", "The token is not known here.");
    }
    return verifyToken(token);
  };
}

/** Compares in the same time whatever the text. */
function createComparison(expected: string): (text: string) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const wanted = digest(expected);
  return (text) => timingSafeEqual(digest(text), wanted);
}
