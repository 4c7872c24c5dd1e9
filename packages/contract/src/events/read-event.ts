import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, hasOption } from "@bufbuild/protobuf";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { quickCheckOf } from "../validation/quick-check.ts";

/** One for the process: it keeps the compiled rules of each event. The first violation is enough. */
const validator = createValidator({ failFast: true });

/** Longest reason that a message is refused with. */
const longestReason = 300;

/** An event, or why it is none. */
export type CheckedEvent<D extends DescMessage> =
  | { readonly event: MessageShape<D> }
  | { readonly flaw: string };

/**
 * Decodes the body of an event and holds it against the rules of the contract. Protobuf in binary
 * says what neither JSON, `Date` nor PostgreSQL can hold, such as a time in the year 10000: what
 * passes here can be stored and read back. Never throws.
 */
export function readEvent<D extends DescMessage>(desc: D, body: Uint8Array): CheckedEvent<D> {
  let event: MessageShape<D>;
  try {
    event = fromBinary(desc, body);
  } catch (error) {
    return { flaw: clip(`body is no ${desc.typeName}: ${String(error)}`) };
  }
  if (quickCheckOf(desc)?.(event)) return { event };
  const result = validator.validate(desc, event);
  if (result.kind !== "valid") return { flaw: clip(result.error.message) };
  const nanos = nanosOutOfRange(desc, event);
  return nanos === undefined ? { event } : { flaw: `${nanos}: nanos must be 0 to 999,999,999` };
}

/** protovalidate compares times, but does not see that one has two ways to be written. */
function nanosOutOfRange(desc: DescMessage, event: Message): string | undefined {
  const fields = reflect(desc, event);
  for (const field of desc.fields) {
    if (field.fieldKind !== "list" || field.listKind !== "message") continue;
    for (const item of fields.get(field)) {
      const nested = nanosOutOfRange(field.message, (item as ReflectMessage).message);
      if (nested !== undefined) return `${field.name}.${nested}`;
    }
  }
  const times = timeFields(desc);
  for (const field of times) {
    if (!fields.isSet(field)) continue;
    const { nanos } = fields.get(field).message as Timestamp;
    if (nanos < 0 || nanos > 999_999_999) return field.name;
  }
  return undefined;
}

const timeFieldsByType = new Map<DescMessage, ReturnType<typeof findTimeFields>>();

function timeFields(desc: DescMessage): ReturnType<typeof findTimeFields> {
  const known = timeFieldsByType.get(desc);
  if (known !== undefined) return known;
  const found = findTimeFields(desc);
  timeFieldsByType.set(desc, found);
  return found;
}

function findTimeFields(desc: DescMessage) {
  return (
    desc.fields
      .filter((field) => field.fieldKind === "message")
      .filter((field) => field.message.typeName === "google.protobuf.Timestamp")
      // A time without a rule may be anything: the log mends its lines itself.
      .filter((field) => hasOption(field, fieldRules))
  );
}

function clip(text: string): string {
  return text.length <= longestReason ? text : `${text.slice(0, longestReason)}…`;
}
