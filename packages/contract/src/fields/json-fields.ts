import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";

/** Fields of each message by JSON and by proto name, made when a message is met first. */
const fieldsByName = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** The field of that JSON or proto name. */
export function findField(schema: DescMessage, name: string): DescField | undefined {
  let known = fieldsByName.get(schema);
  if (known === undefined) {
    known = new Map(
      schema.fields.flatMap((field) => [
        [field.name, field],
        [field.jsonName, field],
      ]),
    );
    fieldsByName.set(schema, known);
  }
  return known.get(name);
}

/** A message whose JSON is an object with its fields, unlike Timestamp and its like. */
export function hasPlainJson(schema: DescMessage): boolean {
  return !schema.typeName.startsWith("google.protobuf.");
}

const bits32: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT32,
  ScalarType.UINT32,
  ScalarType.SINT32,
  ScalarType.FIXED32,
  ScalarType.SFIXED32,
]);
const bits64: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

/** A type whose JSON is a string, since a double cannot hold all its values. */
export function is64Bit(scalar: ScalarType | undefined): boolean {
  return bits64.has(scalar);
}

/** A type of whole numbers. */
export function isWholeNumber(scalar: ScalarType | undefined): boolean {
  return bits32.has(scalar) || bits64.has(scalar);
}
