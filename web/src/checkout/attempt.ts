/**
 * One attempt to order: the exact body that was sent and its Idempotency-Key. It is kept from before the first
 * sending until an answer that settles it, also over a reload, so that a double click, a retry or an impatient
 * visitor cannot make two orders of it.
 */
export interface Attempt {
  readonly key: string;
  /** JSON of the request, byte for byte as it was sent: another body under the same key would be refused. */
  readonly body: string;
}

/** The attempt to send now: the unsettled one where it says the same, else a new one. */
export function attemptFor(
  unsettled: Attempt | undefined,
  body: string,
  newKey: () => string,
): Attempt {
  return unsettled?.body === body ? unsettled : { key: newKey(), body };
}

/** Reads a stored attempt; undefined for anything else. */
export function parseAttempt(text: string | null): Attempt | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    if (typeof value !== "object" || value === null) return undefined;
    const { key, body } = value as Record<string, unknown>;
    if (typeof key !== "string" || typeof body !== "string") return undefined;
    JSON.parse(body);
    return { key, body };
  } catch {
    return undefined;
  }
}

/** A random key. `crypto.randomUUID` is missing where the page is not served by HTTPS or from this machine. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
