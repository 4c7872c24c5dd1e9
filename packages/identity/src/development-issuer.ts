import { SignJWT } from "jose";
import { operatorScope } from "./token-verifier.ts";

/** What a development issuer puts into its tokens. */
export interface DevelopmentIssuerOptions {
  readonly issuer: string;
  readonly audience: string;
  /** The secret that the services verify with. */
  readonly secret: string;
  /** How long a token is good, in seconds. Default: an hour. */
  readonly lifetimeSeconds?: number;
}

/** The claims of a token. */
export interface TokenRequest {
  readonly subject: string;
  readonly isOperator?: boolean;
}

/**
 * Issues an access token for any name without a check: a sign-in for development, with tokens like those of a real issuer. For
 * loopback only.
 */
export function createDevelopmentIssuer(o: DevelopmentIssuerOptions) {
  const key = new TextEncoder().encode(o.secret);
  return async ({ subject, isOperator = false }: TokenRequest): Promise<string> =>
    await new SignJWT(isOperator ? { scope: operatorScope } : {})
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
      .setSubject(subject)
      .setIssuer(o.issuer)
      .setAudience(o.audience)
      .setIssuedAt()
      .setExpirationTime(`${o.lifetimeSeconds ?? 3_600} s`)
      .sign(key);
}
