import { int, StartError, secret, str, url } from "@smartcart/runtime";
import type { TokenVerifier } from "./token-verifier.ts";
import { createTokenVerifier } from "./token-verifier.ts";

/** The variables that say whose access tokens are accepted, to be spread into the specs of a service. */
export const identityConfig = {
  AUTH_ISSUER: str({
    default: undefined,
    desc: "`iss` of access tokens; set, customers and operators must bring one",
  }),
  AUTH_AUDIENCE: str({ default: "smartcart", desc: "`aud` that access tokens must name" }),
  AUTH_JWKS_URL: url({ default: undefined, desc: "where the issuer publishes its keys (JWKS)" }),
  AUTH_SECRET: secret({
    default: undefined,
    desc: "shared secret of access tokens (HS256) instead of AUTH_JWKS_URL, for development",
  }),
  AUTH_CLOCK_SKEW_SECONDS: int({
    default: 60,
    desc: "how far the issuer's clock and this one may be apart, in seconds",
  }),
} as const;

/** The parsed variables of `identityConfig`. */
export interface IdentityConfig {
  readonly AUTH_ISSUER: string | undefined;
  readonly AUTH_AUDIENCE: string;
  readonly AUTH_JWKS_URL: string | undefined;
  readonly AUTH_SECRET: string | undefined;
  readonly AUTH_CLOCK_SKEW_SECONDS: number;
}

/**
 * The verifier that the variables describe; undefined where no issuer is set.
 * @throws StartError where they contradict one another.
 */
export function tokenVerifierOf(config: IdentityConfig): TokenVerifier | undefined {
  const { AUTH_ISSUER, AUTH_JWKS_URL, AUTH_SECRET } = config;
  if (AUTH_ISSUER === undefined) {
    const variable = AUTH_JWKS_URL !== undefined ? "AUTH_JWKS_URL" : "AUTH_SECRET";
    if (AUTH_JWKS_URL === undefined && AUTH_SECRET === undefined) return undefined;
    throw new StartError(
      `${variable} is set, but AUTH_ISSUER is not: set it to the "iss" of the tokens`,
      { variable: "AUTH_ISSUER" },
    );
  }
  if ((AUTH_JWKS_URL === undefined) === (AUTH_SECRET === undefined)) {
    throw new StartError(
      "AUTH_ISSUER is set: set either AUTH_JWKS_URL, where the issuer publishes its keys, or AUTH_SECRET for development",
      { variable: "AUTH_JWKS_URL" },
    );
  }
  return createTokenVerifier({
    issuer: AUTH_ISSUER,
    audience: config.AUTH_AUDIENCE,
    jwksUrl: AUTH_JWKS_URL,
    secret: AUTH_SECRET,
    clockSkewSeconds: config.AUTH_CLOCK_SKEW_SECONDS,
  });
}
