import type { ShortLineJson } from "@smartcart/gen/inventory/v1/reservation_pb";
import type { OrderItemJson } from "@smartcart/gen/order/v1/order_pb";

/** An error answer of the backend: application/problem+json (RFC 9457), or one that is made from another answer. */
export interface Problem {
  /** HTTP status. */
  readonly status: number;
  /** Stable and machine-readable: "OUT_OF_STOCK". "" where the answer was not a problem document. */
  readonly code: string;
  /** Short, for people. */
  readonly title: string;
  /** What happened and how to go on, for people; may be empty. */
  readonly detail: string;
  /** Fields that were wrong. `field` is a path in the request's JSON: "items[0].quantity". */
  readonly violations: readonly Violation[];
  /** Of a rejected order: its id. */
  readonly orderId?: string;
  /** Of a declined payment: the provider's code, "card_declined". */
  readonly reason?: string;
  /** Of an order that fell short: what is left of each short line. */
  readonly lines: readonly ShortLineJson[];
  /** Of changed prices: the lines at what they cost now. */
  readonly items: readonly OrderItemJson[];
  /** When trying again makes sense, in milliseconds from now. Unset where the backend did not say. */
  readonly retryAfterMs?: number;
}

/** A field that was wrong, and why. */
export interface Violation {
  readonly field: string;
  readonly message: string;
}

/**
 * Reads a failed answer. Never throws: a body that is no problem document (a proxy's error page) becomes a problem
 * with just the status.
 *
 * @param body The parsed JSON, or undefined where there was none.
 * @param retryAfter The `Retry-After` header in seconds, or null.
 */
export function parseProblem(status: number, body: unknown, retryAfter: string | null): Problem {
  const json = isRecord(body) ? body : {};
  const orderId = text(json.orderId);
  const reason = text(json.reason);
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return {
    status,
    code: text(json.code),
    title: text(json.title) || `The shop answered with an error (${status}).`,
    detail: text(json.detail),
    violations: records(json.violations).map((entry) => ({
      field: text(entry.field),
      message: text(entry.message),
    })),
    lines: records(json.lines) as readonly ShortLineJson[],
    items: records(json.items) as readonly OrderItemJson[],
    ...(orderId && { orderId }),
    ...(reason && { reason }),
    ...(Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
