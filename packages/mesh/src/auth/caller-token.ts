import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * Request header that names the calling service: its token, or without a secret its bare name, which proves
 * nothing.
 */
export const callerHeader = "smartcart-caller";

const lifetimeSeconds = 300;
/** How far two clocks may be apart. */
const maxSkewSeconds = 60;
const maxRemembered = 64;

/** Between which services a token is good. */
export interface CallerTokenParties {
  /** The service that calls. */
  readonly caller: string;
  /** The service that is called: every other one refuses the token. */
  readonly audience: string;
}

/**
 * Tokens of one caller: `<caller>.<audience>.<expiry, Unix seconds>.<HMAC-SHA256>`. A token is good for five minutes and used for
 * half of that, so that most calls cost no cryptography. A stolen token can be used against its audience until then: it
 * keeps the services of one private network apart and does not replace TLS.
 */
export function createCallerTokens(
  { caller, audience }: CallerTokenParties,
  secret: string,
): () => string {
  let token = "";
  let renewAt = 0;
  return () => {
    const now = Math.floor(Date.now() / 1000);
    if (now >= renewAt) {
      renewAt = now + lifetimeSeconds / 2;
      token = sign(`${caller}.${audience}.${now + lifetimeSeconds}`, secret);
    }
    return token;
  };
}

/** Tells the caller's name from its token, or undefined where the token is forged, has expired or is for another than `audience`. */
export function createCallerCheck(
  audience: string,
  secret: string,
): (token: string) => string | undefined {
  const verified = new Map<string, string>();
  return (token) => {
    const [caller, meant, expiresAt] = token.split(".", 3);
    const now = Math.floor(Date.now() / 1000);
    const secondsLeft = Number(expiresAt) - now;
    const isInTime = secondsLeft > 0 && secondsLeft <= lifetimeSeconds + maxSkewSeconds;
    if (meant !== audience || !isInTime) return undefined;
    const known = verified.get(token);
    if (known !== undefined || caller === undefined || !hasValidSignature(token, secret)) {
      return known;
    }
    if (verified.size >= maxRemembered) {
      verified.clear();
    }
    verified.set(token, caller);
    return caller;
  };
}

function sign(claim: string, secret: string): string {
  return `${claim}.${createHmac("sha256", secret).update(claim).digest("base64url")}`;
}

function hasValidSignature(token: string, secret: string): boolean {
  const claim = token.slice(0, token.lastIndexOf("."));
  const expected = Buffer.from(sign(claim, secret));
  const actual = Buffer.from(token);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
