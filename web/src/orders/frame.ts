import type { OrderEventJson } from "@smartcart/gen/order/v1/order_pb";
import type { ClientFrameJson, ServerFrameJson } from "@smartcart/gen/status/v1/frames_pb";
import type { TimelineEntry } from "./timeline.ts";

/** A parsed frame of the status hub. */
export type Frame =
  | { readonly kind: "status"; readonly orderId: string; readonly entry: TimelineEntry }
  /** The hub cannot close a gap: read the history by REST, then subscribe again. `orderId` "" means every order. */
  | { readonly kind: "resync"; readonly orderId: string; readonly reason: string }
  /** The hub refused a frame of the page; the connection stays open. */
  | { readonly kind: "error"; readonly code: string; readonly message: string }
  /** Not one of the contract's; a newer hub may say more than this page knows. */
  | { readonly kind: "other" };

/** Reads a text message of the hub. Never throws. */
export function parseFrame(text: string): Frame {
  const json = parseJson(text);
  if (json?.resync) {
    const { orderId = "", reason = "" } = json.resync;
    return { kind: "resync", orderId, reason };
  }
  if (json?.error) {
    const { code = "", message = "" } = json.error;
    return { kind: "error", code, message };
  }
  const entry = json && toEntry(json);
  return entry ? { kind: "status", orderId: json.orderId ?? "", entry } : { kind: "other" };
}

/** An entry of the history, from a frame or from GET /orders/{id}/events; undefined where it has no position. */
export function toEntry(json: OrderEventJson | ServerFrameJson): TimelineEntry | undefined {
  const { sequence, status, occurredAt = "", service = "", traceId = "" } = json;
  if (typeof sequence !== "number" || sequence < 1 || !status) return undefined;
  return { sequence, status, occurredAt, service, traceId };
}

/** The message that follows an order from after a sequence on. */
export function subscribeFrame(orderId: string, afterSequence: number): string {
  const frame: ClientFrameJson = { subscribe: { orderId, afterSequence } };
  return JSON.stringify(frame);
}

function parseJson(text: string): ServerFrameJson | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as ServerFrameJson) : undefined;
  } catch {
    return undefined;
  }
}
