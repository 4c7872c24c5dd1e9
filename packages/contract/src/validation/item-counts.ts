import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { formatPath } from "../fields/field-path.ts";
import { InvalidMessageError } from "../json/json-errors.ts";
import { maxItemsOf } from "./message-size.ts";

/** Levels that are looked into; the messages of the contract have fewer. */
const maxDepth = 16;

/**
 * Counts the items of lists in a serialized message, before an object is made of each: 250,000 bytes can hold 125,000 of them, and
 * compress to 300. Ends at the first list that is too long. Bytes that are no message, such as JSON, are left to the decoder.
 * @throws InvalidMessageError where a list is longer than its field may be.
 */
export function assertItemCounts(schema: DescMessage, bytes: Uint8Array): void {
  try {
    count(schema, new BinaryReader(bytes), bytes.length, []);
  } catch (error) {
    if (error instanceof InvalidMessageError) throw error;
  }
}

function count(
  schema: DescMessage,
  reader: BinaryReader,
  end: number,
  path: readonly (string | number)[],
): void {
  const counts = new Map<DescField, number>();
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = schema.fields.find((one) => one.number === number);
    const inner = field?.fieldKind === "map" ? undefined : field?.message;
    if (field === undefined || inner === undefined || wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const index = counts.get(field) ?? 0;
    counts.set(field, index + 1);
    if (field.fieldKind === "list") assertFew(field, index + 1, path);
    const innerEnd = reader.uint32() + reader.pos;
    const at = [...path, field.jsonName, ...(field.fieldKind === "list" ? [index] : [])];
    if (path.length < maxDepth) count(inner, reader, innerEnd, at);
    reader.pos = innerEnd;
  }
}

function assertFew(field: DescField, items: number, path: readonly (string | number)[]): void {
  const most = maxItemsOf(field);
  if (most === undefined || items <= most) return;
  const message = `must contain no more than ${most} item(s)`;
  const name = formatPath([...path, field.jsonName]);
  throw new InvalidMessageError([{ field: name, message, ruleId: "repeated.max_items" }]);
}
