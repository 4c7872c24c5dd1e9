/** Verifies access tokens: JSON Web Tokens (RFC 7519) as OAuth 2.0 access tokens (RFC 9068). */
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from "jose";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import type { Customer, Operator } from "./principal.ts";
import { KeysUnavailableError, TokenError } from "./token-error.ts";

/** Which tokens are accepted. */
export interface TokenVerifierOptions {
  /** `iss` of every token. */
  readonly issuer: string;
  /** What `aud` of every token must name. */
  readonly audience: string;
  /** Where the issuer publishes its keys; tokens must be signed with RS, PS, ES or EdDSA. */
  readonly jwksUrl?: string | undefined;
  /** A shared secret instead, for development; tokens must be signed with HS256. */
  readonly secret?: string | undefined;
  /** How far the issuer's clock and ours may be apart, in seconds. Default 60. */
  readonly clockSkewSeconds?: number;
}

/**
 * Returns the principal of a token. A verified token is cached until it expires, so that most calls need no cryptography and return
 * synchronously.
 *
 * @throws TokenError for a rejected token; KeysUnavailableError where the issuer's keys cannot be read.
 */
export type TokenVerifier = (token: string) => Customer | Operator | Promise<Customer | Operator>;

/** Scope of operators of the shop. */
export const operatorScope = "operator";

const asymmetric = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];
const maxRemembered = 10_000;
/** Longest token that is looked at: one header line of a request. */
const maxTokenLength = 8 * 1024;
/** What a `user_id` of the contract may be. */
const subjectPattern = /^[^\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]{1,64}$/u;

/** @throws RangeError unless there is either `jwksUrl` or `secret`. */
export function createTokenVerifier(o: TokenVerifierOptions): TokenVerifier {
  const { key, algorithms } = keyOf(o);
  const skewSeconds = o.clockSkewSeconds ?? 60;
  const claims: JWTVerifyOptions = {
    issuer: o.issuer,
    audience: o.audience,
    algorithms,
    clockTolerance: skewSeconds,
    requiredClaims: ["sub", "exp"],
  };
  const remembered = new Map<string, Customer | Operator>();

  function remember(token: string, bearer: Customer | Operator): Customer | Operator {
    if (remembered.size >= maxRemembered) forgetOldest(remembered);
    remembered.set(token, bearer);
    return bearer;
  }

  return (token) => {
    const known = remembered.get(token);
    if (known !== undefined) {
      if (Date.now() < known.expiresAtMs) return known;
      remembered.delete(token);
      throw expired();
    }
    if (token.length > maxTokenLength) {
      throw new TokenError("malformed", `The token has more than ${maxTokenLength} characters.`);
    }
    return verify(token, key, claims).then((payload) =>
      remember(token, bearerOf(payload, skewSeconds)),
    );
  };
}

function keyOf({ jwksUrl, secret }: TokenVerifierOptions) {
  if (jwksUrl !== undefined && secret === undefined) {
    const key = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 });
    return { key, algorithms: asymmetric };
  }
  if (secret !== undefined && jwksUrl === undefined) {
    const bytes = new TextEncoder().encode(secret);
    return { key: async () => bytes, algorithms: ["HS256"] };
  }
  throw new RangeError("tokens are verified either by a URL of keys or by a secret");
}

async function verify(
  token: string,
  key: JWTVerifyGetKey,
  claims: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, key, claims)).payload;
  } catch (error) {
    throw explained(error);
  }
}

/** jose's error as a TokenError that names the claim and never repeats its value. */
function explained(cause: unknown): Error {
  if (cause instanceof errors.JWTExpired) return expired(cause);
  if (cause instanceof errors.JWTClaimValidationFailed) {
    return new TokenError("invalid", `The token's claim "${cause.claim}" is not accepted here.`, {
      cause,
    });
  }
  if (cause instanceof errors.JOSEAlgNotAllowed) {
    return new TokenError("invalid", "The token's algorithm is not accepted here.", { cause });
  }
  if (
    cause instanceof errors.JWSSignatureVerificationFailed ||
    cause instanceof errors.JWKSNoMatchingKey
  ) {
    return new TokenError("invalid", "The token's signature is not from the issuer.", { cause });
  }
  if (
    cause instanceof errors.JWTInvalid ||
    cause instanceof errors.JWSInvalid ||
    cause instanceof errors.JOSENotSupported
  ) {
    return new TokenError("malformed", "The token is no signed JSON Web Token.", { cause });
  }
  return new KeysUnavailableError("The issuer's keys cannot be read.", { cause });
}

function expired(cause?: unknown): TokenError {
  return new TokenError("expired", "The token has expired.", { cause });
}

function bearerOf(
  { sub = "", exp = 0, scope }: JWTPayload,
  skewSeconds: number,
): Customer | Operator {
  if (!subjectPattern.test(sub)) {
    throw new TokenError("invalid", `The token's claim "sub" is not accepted here.`);
  }
  const scopes = typeof scope === "string" ? scope.split(" ") : [];
  return {
    kind: scopes.includes(operatorScope) ? "operator" : "customer",
    subject: sub,
    expiresAtMs: (exp + skewSeconds) * 1_000,
  };
}

function forgetOldest(remembered: Map<string, unknown>): void {
  const [oldest] = remembered.keys();
  if (oldest !== undefined) remembered.delete(oldest);
}
