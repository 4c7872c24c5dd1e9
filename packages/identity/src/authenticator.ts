import { createHash, timingSafeEqual } from "node:crypto";
import type { Principal } from "./principal.ts";
import { anonymous } from "./principal.ts";
import { TokenError } from "./token-error.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** What people prove themselves with. */
export interface AuthenticatorOptions {
  /** Undefined: no access token is accepted. */
  readonly verifyToken: TokenVerifier | undefined;
  /** Its bearer is an operator. Undefined: nobody is one by it. */
  readonly opsToken: string | undefined;
}

/**
 * Tells who sends a request by its `Authorization` header (RFC 6750, 2.1); without one they are anonymous.
 *
 * @throws TokenError, KeysUnavailableError as `TokenVerifier`.
 */
export type Authenticator = (authorization: string | null) => Principal | Promise<Principal>;

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
