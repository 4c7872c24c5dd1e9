/** Messages of the contract, made up from their descriptors: valid by their rules, and at the edges of them. */
import type { DescEnum, DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { create, getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import fc from "fast-check";

/** Values that exist, so that a request gets further than "not found". */
export type KnownValues = (field: DescField) => readonly string[];

/** Messages of that type. */
export function arbitraryMessage(schema: DescMessage, known: KnownValues): fc.Arbitrary<Message> {
  return arbitraryInit(schema, known).map((init) => create(schema, init as never));
}

function arbitraryInit(schema: DescMessage, known: KnownValues): fc.Arbitrary<object> {
  if (schema.typeName === "google.protobuf.Timestamp") {
    return arbitraryTime;
  }
  const inOneofs = new Set(schema.oneofs.flatMap((oneof) => oneof.fields));
  const single = schema.fields.filter((field) => !inOneofs.has(field));
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of single) {
    model[field.localName] = arbitraryField(field, known);
  }
  for (const oneof of schema.oneofs) {
    model[oneof.localName] = fc.oneof(
      ...oneof.fields.map((field) =>
        arbitraryField(field, known).map((value) => ({ case: field.localName, value })),
      ),
    );
  }
  return fc.record(model);
}

function arbitraryField(field: DescField, known: KnownValues): fc.Arbitrary<unknown> {
  const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
  if (field.fieldKind === "list") {
    const repeated = rules?.type.case === "repeated" ? rules.type.value : undefined;
    const min = Number(repeated?.minItems ?? 0);
    const max = Number(repeated?.maxItems ?? 3);
    const item = arbitraryValue(field, repeated?.items, known);
    const list = (maxLength: number) =>
      fc.uniqueArray(item, {
        minLength: min,
        maxLength,
        selector: (value) => JSON.stringify(value, stringifyBigInt),
      });
    return fc.oneof(
      { weight: 30, arbitrary: list(Math.min(max, 3)) },
      { weight: 1, arbitrary: list(max) },
    );
  }
  const value = arbitraryValue(field, rules, known);
  const isOptional = field.fieldKind === "message" && rules?.required !== true && !field.oneof;
  return isOptional ? fc.option(value, { nil: undefined }) : value;
}

function stringifyBigInt(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

function arbitraryValue(
  field: DescField,
  rules: FieldRules | undefined,
  known: KnownValues,
): fc.Arbitrary<unknown> {
  if (field.message !== undefined) {
    return arbitraryInit(field.message, known);
  }
  if (field.enum !== undefined) {
    return arbitraryEnum(field.enum);
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      return arbitraryText(rules, known(field));
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 64 });
    default:
      return arbitraryNumber(field.scalar, rules);
  }
}

function arbitraryEnum(desc: DescEnum): fc.Arbitrary<number> {
  return fc.constantFrom(...desc.values.map(({ number }) => number));
}

const ranges: Partial<Record<ScalarType, readonly [bigint, bigint]>> = {
  [ScalarType.INT32]: [-(2n ** 31n), 2n ** 31n - 1n],
  [ScalarType.UINT32]: [0n, 2n ** 32n - 1n],
  [ScalarType.INT64]: [-(2n ** 63n), 2n ** 63n - 1n],
  [ScalarType.UINT64]: [0n, 2n ** 64n - 1n],
};

/** Mostly the ends of the range that type and rules leave. */
function arbitraryNumber(
  scalar: ScalarType | undefined,
  rules: FieldRules | undefined,
): fc.Arbitrary<number | bigint> {
  const range = ranges[scalar as ScalarType];
  if (range === undefined) {
    throw new Error(`no numbers for scalar type ${scalar}: add its range`);
  }
  const { value } = rules?.type ?? {};
  const bound = (kind: "greaterThan" | "lessThan", name: "gte" | "lte") => {
    const rule = (
      value as Record<string, { case?: string; value?: number | bigint }> | undefined
    )?.[kind];
    return rule?.case === name ? BigInt(rule.value ?? 0) : undefined;
  };
  const min = bound("greaterThan", "gte") ?? range[0];
  const max = bound("lessThan", "lte") ?? range[1];
  const edges = [min, max, min + 1n, max - 1n, 0n, 1n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 53n];
  const inRange = edges.filter((edge) => edge >= min && edge <= max);
  const numbers = fc.oneof(fc.constantFrom(...inRange), fc.bigInt({ min, max }));
  const is64 = scalar === ScalarType.INT64 || scalar === ScalarType.UINT64;
  return is64 ? numbers : numbers.map(Number);
}

/** What text fields have been known to break on. */
const naughty = [
  "%",
  "_",
  "\\",
  "'; drop table orders --",
  "$1",
  "{}",
  "[]",
  "null",
  "\u{1F600}",
  "e\u0301",
  "\uFFFD",
  "\u202E",
  "..",
  "a/b",
  "\t",
];

function arbitraryText(
  rules: FieldRules | undefined,
  known: readonly string[],
): fc.Arbitrary<string> {
  const string = rules?.type.case === "string" ? rules.type.value : undefined;
  const minLength = Number(string?.minLen ?? 0);
  const maxLength = Number(string?.maxLen ?? 16) || 16;
  const pattern = new RegExp(string?.pattern ?? "", "u");
  const isValid = (text: string) =>
    [...text].length >= minLength && [...text].length <= maxLength && pattern.test(text);
  if (/^\^\[A-Z\]/.test(string?.pattern ?? "")) {
    return fc.constantFrom("USD", "AAA", "ZZZ");
  }
  if (/^\^\[a-z\]/.test(string?.pattern ?? "")) {
    return fc.stringMatching(/^[a-z][a-z-]{0,20}$/);
  }
  const longest = ["x", "\u{1F600}"].map((character) => character.repeat(maxLength));
  const edges = [...naughty, ...longest, ...known, ""].filter(isValid);
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...edges) },
    {
      weight: known.length > 0 ? 4 : 0,
      arbitrary: fc.constantFrom(...known, ...edges).filter(isValid),
    },
    {
      weight: 2,
      arbitrary: fc
        .string({ unit: "binary", minLength, maxLength: Math.min(maxLength, 30) })
        .filter(isValid),
    },
  );
}

const arbitraryTime = fc
  .oneof(
    fc.constantFrom(-62_135_596_800n, -1n, 0n, 253_402_300_799n),
    fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }),
  )
  .chain((seconds) => fc.constantFrom(0, 1, 999_999_999).map((nanos) => ({ seconds, nanos })));
