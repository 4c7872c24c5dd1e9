import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, toJsonString } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { milestoneLabel } from "@smartcart/contract";
import type { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { ServerFrameSchema } from "@smartcart/gen/status/v1/frames_pb";
import { textFrame } from "./text-frame.ts";

/** A status as it goes out, serialised once however many clients get it. */
export interface StatusFrame {
  readonly sequence: number;
  /** A WebSocket frame with JSON text. */
  readonly data: Buffer;
}

/** What the hub has of an entry, whether it came live or was read. */
export interface StatusSource {
  readonly orderId: string;
  readonly sequence: number;
  readonly milestone: OrderMilestone;
  readonly occurredAt?: Timestamp | undefined;
  readonly service: string;
  readonly traceId: string;
}

/** Codes of refusals; stable. */
export type RefusalCode =
  | "INVALID_FRAME"
  | "UNKNOWN_ORDER"
  | "ACCESS_DENIED"
  | "TOO_MANY_SUBSCRIPTIONS"
  | "RATE_LIMITED"
  | "UNAVAILABLE";

/** {"orderId":"ORD-…","status":"Payment Confirmed","sequence":3,"occurredAt":"…","service":"payment"} */
export function statusFrame(source: StatusSource): StatusFrame {
  const { orderId, sequence, occurredAt, service, traceId } = source;
  const status = milestoneLabel(source.milestone);
  const frame = { orderId, status, sequence, service, traceId };
  return { sequence, data: encode(occurredAt ? { ...frame, occurredAt } : frame) };
}

/** {"resync":{"orderId":"ORD-…","lastSequence":3,"reason":"…"}} */
export function resyncFrame(orderId: string, lastSequence: number, reason: string): Buffer {
  return encode({ resync: { orderId, lastSequence, reason } });
}

/** {"error":{"code":"INVALID_FRAME","message":"…","field":"subscribe.orderId"}} */
export function errorFrame(
  code: RefusalCode,
  message: string,
  field = "",
  retryAfterMs = 0,
): Buffer {
  return encode({ error: { code, message, field, retryAfterMs } });
}

function encode(frame: MessageInitShape<typeof ServerFrameSchema>): Buffer {
  return textFrame(toJsonString(ServerFrameSchema, create(ServerFrameSchema, frame)));
}
