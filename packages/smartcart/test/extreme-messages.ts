/**
 * Messages that keep every rule of the contract and are as far out as these let them: the greatest and least numbers, the longest and
 * oddest texts, times at both ends of what a Timestamp can say on the wire. Made from the descriptors, so that a new field is tried as well.
 */
import type { DescEnum, DescField, DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { create, createRegistry, ScalarType } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import fc from "fast-check";
import { file_smartcart_type_v1_string_rules } from "@smartcart/gen/type/v1/string_rules_pb";

const validator = createValidator({
  registry: createRegistry(file_smartcart_type_v1_string_rules),
});

const texts: readonly string[] = [
  ...["", "a", "0", "-1", "null", "USD", "%_\\", "'; drop table orders; --", "a\nb", "\0", "\x7f"],
  ...["\u{2028}", "\u{fffd}", "\u{10ffff}", "e\u{301}", "\u{202e}", "CH", "ORD-CH"],
  ...[63, 64, 65, 200, 500].flatMap((length) => ["x".repeat(length), "😀".repeat(length)]),
  ...["[]", '["a","b","c"]', '["\\ud800","",""]', "-999999999999999.1", "0.0", "1.1e9"]
    .concat(["999999999999999.999999999999999999", "1790000000000.999999999999999999"])
    .map((token) => Buffer.from(token).toString("base64url")),
];

const small = [0, 1, 2, 20, 100, 200, 1_000];
const int32 = [...small, -1, 2 ** 31 - 1, -(2 ** 31)];
const uint32 = [...small, 86_400_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const int64 = [0n, 1n, -1n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const uint64 = [0n, 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];

const seconds = [0n, 1n, -62_135_596_800n, 253_402_300_799n, 253_402_300_800n, 8_640_000_000_001n]
  .concat([9_000_000_000_000_000n, 2n ** 63n - 1n, -(2n ** 63n), -210_900_000_000n])
  .concat(1_790_000_000n);
const times = seconds.flatMap((second) =>
  [0, 1, 999_999_999].map((nanos) => ({ seconds: second, nanos })),
);

/** Valid messages of a type. `known` are texts that mean something to the services, such as the ids of things that exist. */
export function extremeMessages<D extends DescMessage>(
  desc: D,
  known: readonly string[],
): fc.Arbitrary<MessageInitShape<D>> {
  return shapeOf(desc, known).filter(
    (shape) => validator.validate(desc, create(desc, shape as never)).kind === "valid",
  ) as fc.Arbitrary<MessageInitShape<D>>;
}

function shapeOf(desc: DescMessage, known: readonly string[]): fc.Arbitrary<object> {
  if (desc.typeName === TimestampSchema.typeName) return fc.constantFrom(...times);
  const fields = desc.fields.map(
    (field) => [field.localName, valuesOf(desc, field, known)] as const,
  );
  const present = fields.filter(([, value]) => value !== undefined);
  return fc.record(Object.fromEntries(present) as Record<string, fc.Arbitrary<unknown>>);
}

/** Values of a field that none of its own rules refuses; undefined where there are none to choose from. */
function valuesOf(
  parent: DescMessage,
  field: DescField,
  known: readonly string[],
): fc.Arbitrary<unknown> | undefined {
  const chosen = (values: readonly unknown[], wrap = (value: unknown): unknown => value) => {
    const valid = values.filter((value) => isValidAlone(parent, field, wrap(value)));
    return valid.length > 0 ? fc.constantFrom(...valid) : undefined;
  };
  switch (field.fieldKind) {
    case "scalar":
      return chosen(scalars(field.scalar, known));
    case "enum":
      return chosen(numbersOf(field.enum));
    case "message": {
      const message = shapeOf(field.message, known);
      return isValidAlone(parent, field, undefined)
        ? fc.option(message, { nil: undefined })
        : message;
    }
    case "list": {
      const item =
        field.listKind === "message"
          ? shapeOf(field.message, known)
          : chosen(
              field.listKind === "scalar" ? scalars(field.scalar, known) : numbersOf(field.enum),
              (value) => [value],
            );
      return item && fc.array(item, { maxLength: 5 });
    }
    case "map":
      return undefined;
  }
}

function isValidAlone(parent: DescMessage, field: DescField, value: unknown): boolean {
  const message = create(parent, { [field.localName]: value } as never);
  const result = validator.validate(parent, message);
  return (
    result.kind !== "invalid" || !result.violations.some(({ field: [first] }) => first === field)
  );
}

function numbersOf(desc: DescEnum): number[] {
  return [...desc.values.map(({ number }) => number), 99, 2 ** 31 - 1];
}

function scalars(type: ScalarType, known: readonly string[]): readonly unknown[] {
  switch (type) {
    case ScalarType.STRING:
      return [...texts, ...known];
    case ScalarType.BOOL:
      return [false, true];
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return uint32;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return int32;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return uint64;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return int64;
    case ScalarType.BYTES:
      return [new Uint8Array(), new Uint8Array([0]), new Uint8Array(1_000).fill(255)];
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return [0, -0, 1e300, Number.NaN, Number.POSITIVE_INFINITY];
  }
}
