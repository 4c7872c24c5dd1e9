import { hash } from "node:crypto";

/** The state of a shipment. STARTED is followed by SHIPPED only; CANCELLED is final. */
export type Shipment =
  | { readonly orderId: string; readonly status: "CANCELLED" }
  | { readonly orderId: string; readonly status: "STARTED"; readonly startedAt: Date }
  | {
      readonly orderId: string;
      readonly status: "SHIPPED";
      readonly startedAt: Date;
      readonly shippedAt: Date;
      readonly trackingNumber: string;
    };

/** A shipment that is about to begin. */
export interface ShipmentStart {
  readonly orderId: string;
  readonly startedAt: Date;
  /** When it is to leave. */
  readonly dueAt: Date;
  /** W3C trace context of the order's event; "" means none. */
  readonly traceparent: string;
}

/** A started shipment that is to leave now. */
export interface DueShipment {
  readonly orderId: string;
  readonly startedAt: Date;
  /** Whether it leaves as soon as it has started: then the start was not published yet. */
  readonly atOnce: boolean;
  readonly traceparent: string;
}

/** A shipment that has just left. */
export interface ShipmentLeft extends DueShipment {
  readonly shippedAt: Date;
  readonly trackingNumber: string;
}

/** A shipment that begins now and leaves after `delayMs`. */
export function beginShipment(
  order: { readonly orderId: string; readonly traceparent: string },
  now: Date,
  delayMs: number,
): ShipmentStart {
  return { ...order, startedAt: now, dueAt: new Date(now.getTime() + delayMs) };
}

/** The line of the shipment log. Its text is part of the interface. */
export function startMessage(orderId: string): string {
  return `Shipping started for OrderId: ${orderId}`;
}

/** The tracking number of the simulated carrier. It is derived from the order id, so that a repetition gives the same one. */
export function trackingNumberOf(orderId: string): string {
  return `SC${digest(orderId).toString("hex", 0, 6).toUpperCase()}`;
}

/**
 * Whether the simulation lets this attempt fail. It follows from order and attempt alone: a test can foretell it, and an
 * order that failed once can succeed at its next attempt.
 *
 * @param failureRate share of attempts that fail, 0 to 1
 */
export function failsInSimulation(orderId: string, attempt: number, failureRate: number): boolean {
  if (failureRate <= 0) return false;
  return digest(`${orderId}#${attempt}`).readUInt32BE(0) / 2 ** 32 < failureRate;
}

/**
 * Why an order with this id can never be shipped, or undefined where it can. PostgreSQL's text takes no NUL, and a single
 * bad message must not make the statement of its whole batch fail.
 */
export function invalidReason(orderId: string): string | undefined {
  if (orderId === "") return "the order id is empty";
  if ([...orderId].length > 64) return "the order id is longer than 64 characters";
  return orderId.includes("\0") ? "the order id contains a NUL character" : undefined;
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
