import type { Problem } from "../api/problem.ts";

/**
 * One attempt to order: the exact body that was sent and its Idempotency-Key. It is stored from before the first
 * sending until an answer that settles it, for all tabs and over a reload, so that a double click, a retry, a second
 * tab or an impatient visitor cannot make two orders of it.
 */
export interface OpenAttempt {
  readonly key: string;
  /** JSON of the request, byte for byte as it was sent: another body under the same key would be refused. */
  readonly body: string;
  /** When it was sent first, in Unix milliseconds. */
  readonly sentAtMs: number;
}

/** How an attempt ended; stored so that a tab that waited for another one can show it. */
export interface SettledAttempt {
  readonly key: string;
  readonly outcome: AttemptOutcome;
}

/** The final answer to an attempt. An answer that did not arrive is no outcome: the attempt stays open. */
export type AttemptOutcome =
  /** The order exists, confirmed or not decided yet. */
  | { readonly kind: "placed"; readonly orderId: string }
  /** A clear no. The key is spent: what is sent next is another attempt. */
  | { readonly kind: "refused"; readonly problem: Problem };

/** Stored by the page, so that a reload goes on with the same Idempotency-Key and the same bytes. */
export type Attempt = OpenAttempt | SettledAttempt;

/**
 * How long an attempt is repeated, in milliseconds. The backend keeps a key for a day: after that the same request
 * would place a second order.
 */
const repeatableMs = 12 * 3_600_000;

/** The attempt whose outcome is not known; undefined where there is none. */
export function openAttempt(attempt: Attempt | undefined): OpenAttempt | undefined {
  return attempt && "body" in attempt ? attempt : undefined;
}

/** Whether sending it again is safe: with its key it is the same order. */
export function isRepeatable({ sentAtMs }: OpenAttempt, nowMs: number): boolean {
  return Math.abs(nowMs - sentAtMs) < repeatableMs;
}

/** Reads a stored attempt; undefined for anything else. */
export function parseAttempt(text: string | null): Attempt | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    if (typeof value !== "object" || value === null) return undefined;
    const { key, body, sentAtMs, outcome } = value as Record<string, unknown>;
    if (typeof key !== "string") return undefined;
    if (isOutcome(outcome)) return { key, outcome };
    if (typeof body !== "string" || typeof sentAtMs !== "number") return undefined;
    JSON.parse(body);
    return { key, body, sentAtMs };
  } catch {
    return undefined;
  }
}

function isOutcome(value: unknown): value is AttemptOutcome {
  if (typeof value !== "object" || value === null) return false;
  const { kind, orderId, problem } = value as Record<string, unknown>;
  if (kind === "placed") return typeof orderId === "string";
  return kind === "refused" && typeof problem === "object" && problem !== null;
}

/** A random key. `crypto.randomUUID` is missing where the page is not served by HTTPS or from this machine. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
