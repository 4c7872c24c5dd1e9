import type { JsonValue, Message } from "@bufbuild/protobuf";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import { eventTypes, redact, redactedText, textRedactor } from "@smartcart/contract";
import type { DeadLetter } from "./types.ts";

/** What a dead letter says to an operator: all but personal data. The queue keeps it as it came in. */
export interface DecodedDeadLetter {
  /**
   * The message in proto3 JSON, redacted. Undefined where it is of no type of the contract or cannot be decoded; it may be a dead letter
   * just because of that.
   */
  readonly json: JsonValue | undefined;
  /** The order that it is about; "" where it is about none. */
  readonly orderId: string;
  /** Why it was given up. */
  readonly reason: string;
  /** Of the headers that SmartCart and brokers do not set only the names: nothing says what their values hold. */
  readonly headers: DeadLetter["headers"];
}

/** The message of a dead letter without personal data, which nobody needs to see to redrive or drop it. */
export function decodeDeadLetter(letter: DeadLetter): DecodedDeadLetter {
  return { ...decoded(letter), headers: redactHeaders(letter.headers) };
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
      // Its reason says so.
    }
  }
  return { json: undefined, orderId: "", reason };
}

/** Whether the message of a dead letter names the customer. One that cannot be decoded names nobody. */
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
