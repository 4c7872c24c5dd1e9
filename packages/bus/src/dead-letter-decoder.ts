import type { JsonValue, Message } from "@bufbuild/protobuf";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import { eventTypes } from "@smartcart/contract";
import type { DeadLetter } from "./types.ts";

/** What a dead letter says. */
export interface DecodedDeadLetter {
  /** The message in proto3 JSON. */
  readonly json: JsonValue;
  /** The order that it is about; "" where it is about none. */
  readonly orderId: string;
}

/**
 * Undefined where it is of no type of the contract or cannot be decoded; it may be a dead letter
 * just because of that.
 */
export function decodeDeadLetter({ type, body }: DeadLetter): DecodedDeadLetter | undefined {
  const eventType = eventTypes.get(type);
  if (eventType === undefined) return undefined;
  const { desc, orderingField } = eventType;
  try {
    const message: Message & { readonly orderId?: unknown } = fromBinary(desc, body);
    const { orderId } = message;
    const isAboutOrder = orderingField === "order_id" && typeof orderId === "string";
    return { json: toJson(desc, message), orderId: isAboutOrder ? orderId : "" };
  } catch {
    return undefined;
  }
}
