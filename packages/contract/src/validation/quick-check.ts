/**
 * Says yes to ordinary messages without asking protovalidate, which takes 15 to 50 µs and up to 30 KB of garbage a message: too much for
 * each request and each of an order's statuses. Made once for a type from the same rules. It never says yes where protovalidate says no;
 * where it says no, or knows a rule not, protovalidate decides and finds the words.
 */
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { hasOption, isFieldSet, ScalarType } from "@bufbuild/protobuf";
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
  Ignore,
  Int32RulesSchema,
  Int64RulesSchema,
  message as messageRules,
  oneof as oneofRules,
  RepeatedRulesSchema,
  StringRulesSchema,
  TimestampRulesSchema,
  UInt32RulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { rulesOf } from "../fields/field-rules.ts";

type Check = (value: unknown) => boolean;

const timestamp = "google.protobuf.Timestamp";

/** True: the message keeps all rules of its type. False: it may break one. */
export type QuickCheck = (message: Message) => boolean;

const checks = new Map<DescMessage, QuickCheck | undefined>();

/** The check of a type, made when it is asked for first. Undefined where the type has a rule of a kind that is not known here. */
export function quickCheckOf(desc: DescMessage): QuickCheck | undefined {
  if (!checks.has(desc)) checks.set(desc, createQuickCheck(desc));
  return checks.get(desc);
}

function createQuickCheck(desc: DescMessage): QuickCheck | undefined {
  try {
    return messageCheck(desc, []) as QuickCheck;
  } catch (error) {
    if (error instanceof UnknownRule) return undefined;
    throw error;
  }
}

class UnknownRule extends Error {}

function messageCheck(desc: DescMessage, within: readonly DescMessage[]): Check {
  const isOptioned =
    hasOption(desc, messageRules) || desc.oneofs.some((o) => hasOption(o, oneofRules));
  // A type within itself would need a check of its own; no event has one.
  if (isOptioned || within.includes(desc)) throw new UnknownRule();
  const checks = desc.fields.flatMap((field) => {
    const check = fieldCheck(field, [...within, desc]);
    return check === undefined ? [] : [{ name: field.localName, check }];
  });
  return (message) => {
    const values = message as Readonly<Record<string, unknown>>;
    return checks.every(({ name, check }) => check(values[name]));
  };
}

function fieldCheck(field: DescField, within: readonly DescMessage[]): Check | undefined {
  const rules = rulesOf(field);
  if (rules?.ignore === Ignore.ALWAYS) return undefined;

  if (rules !== undefined) {
    only(FieldRulesSchema, rules, ["required", "cel", rules.type.case ?? ""]);
  }
  // A presence that is tracked changes when a rule applies.
  if (field.oneof !== undefined || field.fieldKind === "map") throw new UnknownRule();
  const own = rules && typeCheck(field, rules);
  const isRequired = rules?.required === true;
  const expressions = rules?.cel ?? [];
  if (field.fieldKind !== "list" && expressions.length > 0) throw new UnknownRule();
  switch (field.fieldKind) {
    case "list": {
      if (isRequired) throw new UnknownRule();
      const item = field.listKind === "message" ? nested(field.message, within) : always;
      const wholes = expressions.map((rule) => uniqueCheck(field, rule));
      // Its length comes first: in a list that is too long no item is looked at.
      return (list) =>
        (own?.(list) ?? true) &&
        (list as unknown[]).every((value) => item(value)) &&
        wholes.every((check) => check(list));
    }
    case "message": {
      const inner = nested(field.message, within);
      return (value) =>
        value === undefined ? !isRequired : (own?.(value) ?? true) && inner(value);
    }
    default:
      if (!isRequired) return own && ((value) => value === undefined || own(value));
      return (value) => Boolean(value) && (own?.(value) ?? true);
  }
}

const uniqueItems = /^this\.map\((\w+), \1\.(\w+)\)\.unique\(\)$/;

/** The one expression in CEL that requests have: that a field differs between the items of a list. */
function uniqueCheck(list: DescField, { expression }: Rule): Check {
  const name = uniqueItems.exec(expression)?.[2];
  const field = list.message?.fields.find((candidate) => candidate.name === name);
  if (field?.scalar !== ScalarType.STRING || field.oneof !== undefined) throw new UnknownRule();
  const { localName } = field;
  return (value) => {
    const items = value as readonly Readonly<Record<string, unknown>>[];
    if (items.length < 2) return true;
    return new Set(items.map((item) => item[localName])).size === items.length;
  };
}

const always: Check = () => true;

function nested(desc: DescMessage, within: readonly DescMessage[]): Check {
  if (desc.typeName === timestamp) return isCalendarTime as Check;
  return desc.typeName.startsWith("google.protobuf.") ? always : messageCheck(desc, within);
}

/** What is outside of these bounds has no JSON and no date. */
function isCalendarTime({ seconds, nanos }: Timestamp): boolean {
  return (
    nanos >= 0 && nanos <= 999_999_999 && seconds >= -62_135_596_800n && seconds <= 253_402_300_799n
  );
}

function typeCheck(field: DescField, { type }: FieldRules): Check | undefined {
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
      throw new UnknownRule();
  }
}

function lengthCheck(rules: RepeatedRules): Check {
  only(RepeatedRulesSchema, rules, ["minItems", "maxItems"]);
  const least = Number(rules.minItems);
  const most = isFieldSet(rules, RepeatedRulesSchema.field.maxItems)
    ? Number(rules.maxItems)
    : Number.POSITIVE_INFINITY;
  return (list) => {
    const { length } = list as unknown[];
    return length >= least && length <= most;
  };
}

/** Lengths are counted in code points: there are at most as many as UTF-16 units, and at least half as many. */
function stringCheck(rules: StringRules): Check {
  only(StringRulesSchema, rules, ["minLen", "maxLen", "pattern"]);
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
      // Half of a character can only come by JSON; protovalidate knows what it makes of it.
      text.isWellFormed() &&
      (pattern?.test(text) ?? true)
    );
  };
}

function numberCheck(
  schema: typeof Int32RulesSchema | typeof UInt32RulesSchema | typeof Int64RulesSchema,
  rules: Int32Rules | UInt32Rules | Int64Rules,
): Check {
  only(schema, rules, ["gt", "gte", "lt", "lte"]);
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
  only(EnumRulesSchema, rules, ["definedOnly", "notIn"]);
  if (field.fieldKind !== "enum") throw new UnknownRule();
  const numbers = field.enum.values.map((value) => value.number);
  const accepted = new Set(numbers.filter((number) => !rules.notIn.includes(number)));
  return (value) => accepted.has(value as number);
}

function timestampCheck(rules: TimestampRules): Check {
  only(TimestampRulesSchema, rules, ["gte", "lte"]);
  const low = rules.greaterThan.case === "gte" ? rules.greaterThan.value.seconds : undefined;
  const high = rules.lessThan.case === "lte" ? rules.lessThan.value.seconds : undefined;
  return (value) => {
    const { seconds } = value as Timestamp;
    // The seconds at the bounds themselves are left to protovalidate.
    return (low === undefined || seconds > low) && (high === undefined || seconds < high);
  };
}

/** Throws where a rule is set that is not among these. */
function only(schema: DescMessage, rules: Message, known: readonly string[]): void {
  for (const field of schema.fields) {
    if (isFieldSet(rules, field) && !known.includes(field.localName)) throw new UnknownRule();
  }
}
