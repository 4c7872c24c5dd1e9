import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { isFieldSet, ScalarType } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type {
  EnumRules,
  FieldRules,
  Int32Rules,
  Int64Rules,
  RepeatedRules,
  Rule,
  StringRules,
  TimestampRules,
  UInt32Rules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  EnumRulesSchema,
  FieldRulesSchema,
  Int32RulesSchema,
  Int64RulesSchema,
  RepeatedRulesSchema,
  StringRulesSchema,
  TimestampRulesSchema,
  UInt32RulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** True: the value keeps the rules. False: it may break one. */
export type Check = (value: unknown) => boolean;

/** A rule has no quick check: protovalidate decides. */
export class UnknownRuleError extends Error {}

/** The check of the rules of a field's own type; undefined: there are none. */
export function typeCheck(field: DescField, { type }: FieldRules): Check | undefined {
  switch (type.case) {
    case undefined:
      return undefined;
    case "string":
      return stringCheck(type.value);
    case "int32":
      return numberCheck(Int32RulesSchema, type.value);
    case "uint32":
      return numberCheck(UInt32RulesSchema, type.value);
    case "int64":
      return numberCheck(Int64RulesSchema, type.value);
    case "enum":
      return enumCheck(field, type.value);
    case "timestamp":
      return timestampCheck(type.value);
    case "repeated":
      return lengthCheck(type.value);
    default:
      throw new UnknownRuleError();
  }
}

function lengthCheck(rules: RepeatedRules): Check {
  allowOnly(RepeatedRulesSchema, rules, ["minItems", "maxItems", "items"]);
  const item = rules.items && itemCheck(rules.items);
  const least = Number(rules.minItems);
  const most = isFieldSet(rules, RepeatedRulesSchema.field.maxItems)
    ? Number(rules.maxItems)
    : Number.POSITIVE_INFINITY;
  return (list) => {
    const values = list as unknown[];
    // The length comes first: in a list that is too long no item is looked at.
    return (
      values.length >= least && values.length <= most && (item === undefined || values.every(item))
    );
  };
}

/** Knows the rules of texts in a list only. */
function itemCheck(rules: FieldRules): Check {
  allowOnly(FieldRulesSchema, rules, ["string"]);
  if (rules.type.case !== "string") throw new UnknownRuleError();
  return stringCheck(rules.type.value);
}

/** Lengths are counted in code points: there are at most as many as UTF-16 units, and at least half as many. */
function stringCheck(rules: StringRules): Check {
  allowOnly(StringRulesSchema, rules, ["minLen", "maxLen", "pattern"]);
  const least = rules.minLen > 1n ? Number(rules.minLen) * 2 : Number(rules.minLen);
  const most = isFieldSet(rules, StringRulesSchema.field.maxLen)
    ? Number(rules.maxLen)
    : Number.POSITIVE_INFINITY;
  const pattern = rules.pattern === "" ? undefined : new RegExp(rules.pattern, "u");
  return (value) => {
    const text = value as string;
    return (
      text.length >= least &&
      text.length <= most &&
      // Half of a surrogate pair can only come from JSON: protovalidate decides.
      text.isWellFormed() &&
      (pattern?.test(text) ?? true)
    );
  };
}

function numberCheck(
  schema: typeof Int32RulesSchema | typeof UInt32RulesSchema | typeof Int64RulesSchema,
  rules: Int32Rules | UInt32Rules | Int64Rules,
): Check {
  allowOnly(schema, rules, ["gt", "gte", "lt", "lte"]);
  const { greaterThan: low, lessThan: high } = rules;
  return (value) => {
    const number = value as number | bigint;
    if (low.case !== undefined && !(low.case === "gt" ? number > low.value : number >= low.value)) {
      return false;
    }
    return (
      high.case === undefined || (high.case === "lt" ? number < high.value : number <= high.value)
    );
  };
}

function enumCheck(field: DescField, rules: EnumRules): Check {
  allowOnly(EnumRulesSchema, rules, ["definedOnly", "notIn"]);
  if (field.fieldKind !== "enum") throw new UnknownRuleError();
  const numbers = field.enum.values.map((value) => value.number);
  const accepted = new Set(numbers.filter((number) => !rules.notIn.includes(number)));
  return (value) => accepted.has(value as number);
}

function timestampCheck(rules: TimestampRules): Check {
  allowOnly(TimestampRulesSchema, rules, ["gte", "lte"]);
  const low = rules.greaterThan.case === "gte" ? rules.greaterThan.value.seconds : undefined;
  const high = rules.lessThan.case === "lte" ? rules.lessThan.value.seconds : undefined;
  return (value) => {
    const { seconds } = value as Timestamp;
    // The seconds at the bounds themselves are left to protovalidate.
    return (low === undefined || seconds > low) && (high === undefined || seconds < high);
  };
}

/** @throws UnknownRuleError where a rule is set that is not among these. */
export function allowOnly(schema: DescMessage, rules: Message, known: readonly string[]): void {
  // A predefined rule that could not be expanded.
  if (rules.$unknown?.length) throw new UnknownRuleError();
  for (const field of schema.fields) {
    if (isFieldSet(rules, field) && !known.includes(field.localName)) throw new UnknownRuleError();
  }
}

const uniqueItems = /^this\.map\((\w+), \1\.(\w+)\)\.unique\(\)$/;

/** The one expression in CEL that requests have: that a field differs between the items of a list. */
export function uniqueCheck(list: DescField, { expression }: Rule): Check {
  const name = uniqueItems.exec(expression)?.[2];
  const field = list.message?.fields.find((candidate) => candidate.name === name);
  if (field?.scalar !== ScalarType.STRING || field.oneof !== undefined)
    throw new UnknownRuleError();
  const { localName } = field;
  return (value) => {
    const items = value as readonly Readonly<Record<string, unknown>>[];
    if (items.length < 2) return true;
    return new Set(items.map((item) => item[localName])).size === items.length;
  };
}
