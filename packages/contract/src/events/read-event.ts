import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { validateMessage } from "../validation/validate.ts";

/** Longest reason for a rejected message, in characters. */
const maxReasonLength = 300;

/** An event, or why the body is not a valid one. */
type CheckedEvent<D extends DescMessage> =
  | { readonly event: MessageShape<D> }
  | { readonly invalidReason: string };

/**
 * Decodes the body of an event and checks the rules of the contract. Binary protobuf can hold values
 * that JSON, `Date` and PostgreSQL cannot, such as a time in the year 10000: a valid event can be
 * stored and read back. Never throws.
 */
export function readEvent<D extends DescMessage>(desc: D, body: Uint8Array): CheckedEvent<D> {
  try {
    const event = fromBinary(desc, body);
    const [first] = validateMessage(desc, event);
    return first === undefined
      ? { event }
      : { invalidReason: clip(`${first.field}: ${first.message}`) };
  } catch (error) {
    return { invalidReason: clip(`body is no ${desc.typeName}: ${String(error)}`) };
  }
}

function clip(text: string): string {
  return text.length <= maxReasonLength ? text : `${text.slice(0, maxReasonLength)}…`;
}
