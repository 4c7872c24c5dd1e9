import type { JsonValue } from "@bufbuild/protobuf";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import { eventTypes } from "@smartcart/contract";
import { orderIdIn } from "./observed-bus.ts";
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
  const desc = eventTypes.get(type)?.desc;
  if (desc === undefined) return undefined;
  try {
    const message = fromBinary(desc, body);
    return { json: toJson(desc, message), orderId: orderIdIn(type, message) };
  } catch {
    return undefined;
  }
}
