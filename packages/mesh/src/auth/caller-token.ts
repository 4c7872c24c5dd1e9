import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * Request header that says which part of the mesh is calling: its token, or without a secret its bare name, which proves
 * nothing.
 */
export const callerHeader = "smartcart-caller";

const lifetimeSeconds = 300;
/** How far two clocks may be apart. */
const maxSkewSeconds = 60;
const maxRemembered = 64;

/**
 * Tokens of one caller: `<name>.<expiry, Unix seconds>.<HMAC-SHA256>`. A token is good for five minutes and used for
 * half of that, so that most calls cost no cryptography. It proves who calls, not what is called: it keeps the parts of
 * one private network apart and does not replace TLS.
 */
export function createCallerTokens(caller: string, secret: string): () => string {
  let token = "";
  let renewAt = 0;
  return () => {
    const now = Math.floor(Date.now() / 1000);
    if (now >= renewAt) {
      renewAt = now + lifetimeSeconds / 2;
      token = sign(`${caller}.${now + lifetimeSeconds}`, secret);
    }
    return token;
  };
}

/** Tells the caller's name from its token, or undefined where the token is forged or has expired. */
export function createCallerCheck(secret: string): (token: string) => string | undefined {
  const verified = new Map<string, string>();
  return (token) => {
    const [caller, expiresAt] = token.split(".", 2);
    const now = Math.floor(Date.now() / 1000);
    const secondsLeft = Number(expiresAt) - now;
    if (!(secondsLeft > 0 && secondsLeft <= lifetimeSeconds + maxSkewSeconds)) {
      return undefined;
    }
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
