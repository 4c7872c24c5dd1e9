import type { Observable } from "../observable.ts";

/** An access token as the browser stores it. */
export interface HeldToken {
  readonly token: string;
  /** The customer of the token: the `userId` of orders. */
  readonly subject: string;
  /** The customer's name, for display. */
  readonly name: string;
  /** From when it is good no more, by this browser's clock, in Unix milliseconds. */
  readonly expiresAtMs: number;
  /** It opens the operations console. */
  readonly isOperator: boolean;
  /** OpenID Connect: sent to the provider at sign-out, to end the customer's session there. */
  readonly idToken?: string;
}

/**
 * Reads what the page has to know of a token. The token was just issued: its lifetime counts from now, so that a
 * browser whose clock is wrong does not take a good one for expired. The page proves nothing by it; the services do.
 *
 * @param more The name for people (default: the subject), and the ID token.
 * @returns undefined where it is not a JSON Web Token with a subject and an expiry (RFC 9068).
 */
export function holdToken(
  token: string,
  nowMs: number,
  more: { readonly name?: string; readonly idToken?: string } = {},
): HeldToken | undefined {
  const { sub, exp, iat, scope } = claimsOf(token);
  if (typeof sub !== "string" || typeof exp !== "number") return undefined;
  const lifetimeMs = typeof iat === "number" ? (exp - iat) * 1_000 : exp * 1_000 - nowMs;
  return {
    token,
    subject: sub,
    name: sub,
    expiresAtMs: nowMs + lifetimeMs,
    isOperator: typeof scope === "string" && scope.split(" ").includes("operator"),
    ...more,
  };
}

/** Reads a stored token; undefined for one that has expired, and for anything else. */
export function parseHeldToken(text: string | null): HeldToken | undefined {
  try {
    const held = JSON.parse(text ?? "null") as HeldToken | null;
    const isToken = typeof held?.token === "string" && typeof held.subject === "string";
    return isToken && held.expiresAtMs > Date.now() ? held : undefined;
  } catch {
    return undefined;
  }
}

/** Longest time that a timer can wait, in milliseconds. */
const maxTimerMs = 2 ** 31 - 1;

/** Forgets each token in the moment in which it expires. */
export function dropWhenExpired(
  stored: Observable<HeldToken | undefined>,
  onExpired: () => void,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = (): void => {
    clearTimeout(timer);
    const held = stored.get();
    if (!held) return;
    const restMs = held.expiresAtMs - Date.now();
    if (restMs > 0) timer = setTimeout(watch, Math.min(restMs, maxTimerMs));
    else {
      stored.set(undefined);
      onExpired();
    }
  };
  stored.subscribe(watch);
  watch();
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    return {};
  }
}
