import type { JsonValue, Message } from "@bufbuild/protobuf";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import { eventTypes, redact, redactedText, textRedactor } from "@smartcart/contract";
import type { DeadLetter } from "./types.ts";

/** A dead letter for an operator: without personal data. The queue keeps the message as it was received. */
export interface DecodedDeadLetter {
  /**
   * The message in proto3 JSON, redacted. Undefined where its type is not in the contract or it cannot be decoded, which may be why it
   * is a dead letter.
   */
  readonly json: JsonValue | undefined;
  /** The order that it is about; "" where it is about none. */
  readonly orderId: string;
  /** Why it was given up. */
  readonly reason: string;
  /** Values of foreign headers are redacted, since they may hold anything; those that SmartCart and brokers set are shown. */
  readonly headers: DeadLetter["headers"];
}

/** The message of a dead letter without personal data. Never throws. */
export function decodeDeadLetter(deadLetter: DeadLetter): DecodedDeadLetter {
  return { ...decoded(deadLetter), headers: redactHeaders(deadLetter.headers) };
}

function decoded({ type, body, reason }: DeadLetter): Omit<DecodedDeadLetter, "headers"> {
  const eventType = eventTypes.get(type);
  if (eventType !== undefined) {
    const { desc, orderingField } = eventType;
    try {
      const message: Message & { readonly orderId?: unknown } = fromBinary(desc, body);
      const isAboutOrder = orderingField === "order_id" && typeof message.orderId === "string";
      const json = toJson(desc, redact(desc, message));
      const orderId = isAboutOrder ? message.orderId : "";
      const redactText = textRedactor([[desc, message]]);
      return { json, orderId, reason: redactText(reason) };
    } catch {
      // The reason of the dead letter has the error.
    }
  }
  return { json: undefined, orderId: "", reason };
}

/** Whether the message of a dead letter names the customer; false where it cannot be decoded. */
export function namesUser(
  { type, body }: Pick<DeadLetter, "type" | "body">,
  userId: string,
): boolean {
  const eventType = eventTypes.get(type);
  if (eventType === undefined) return false;
  try {
    const { userId: named } = fromBinary(eventType.desc, body) as { readonly userId?: unknown };
    return named === userId;
  } catch {
    return false;
  }
}

const technicalHeaders =
  /^(traceparent|tracestate|x-(attempt|failed-at|first-routing-key|cut|delivery-count|acquired-count|death|(first|last)-death-.+))$/;

function redactHeaders(headers: DeadLetter["headers"]): DeadLetter["headers"] {
  const entries = Object.entries(headers).map(([name, value]) => {
    return [name, technicalHeaders.test(name) ? value : redactedText] as const;
  });
  return Object.fromEntries(entries);
}
