/**
 * Says yes to ordinary events without asking protovalidate, which takes 15 µs a message: too much for each of an order's statuses. Made
 * once for a type from the same rules. It never says yes where protovalidate says no; where it says no, or knows a rule not, protovalidate
 * decides and finds the words.
 */
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { getOption, hasOption, isFieldSet } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type {
  EnumRules,
  FieldRules,
  Int32Rules,
  StringRules,
  TimestampRules,
  UInt32Rules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  EnumRulesSchema,
  FieldRulesSchema,
  field as fieldRules,
  Int32RulesSchema,
  message as messageRules,
  oneof as oneofRules,
  RepeatedRulesSchema,
  StringRulesSchema,
  TimestampRulesSchema,
  UInt32RulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

type Check = (value: unknown) => boolean;

const timestamp = "google.protobuf.Timestamp";

/** Undefined where the type has a rule of a kind that is not known here. */
export function createQuickCheck(desc: DescMessage): ((event: Message) => boolean) | undefined {
  try {
    return messageCheck(desc, []) as (event: Message) => boolean;
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
  const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
  if (rules !== undefined) only(FieldRulesSchema, rules, ["required", rules.type.case ?? ""]);
  // A presence that is tracked changes when a rule applies.
  if (field.oneof !== undefined || field.fieldKind === "map") throw new UnknownRule();
  const own = rules && typeCheck(field, rules);
  const isRequired = rules?.required === true;
  switch (field.fieldKind) {
    case "list": {
      if (isRequired) throw new UnknownRule();
      const item = field.listKind === "message" ? nested(field.message, within) : undefined;
      return (list) => (own?.(list) ?? true) && (list as unknown[]).every(item ?? always);
    }
    case "message": {
      const inner = nested(field.message, within);
      return (value) =>
        value === undefined ? !isRequired : (own?.(value) ?? true) && inner(value);
    }
    default:
      if (!isRequired) return own;
      return (value) => value !== "" && value !== 0 && value !== 0n && (own?.(value) ?? true);
  }
}

const always: Check = () => true;

function nested(desc: DescMessage, within: readonly DescMessage[]): Check {
  if (desc.typeName === timestamp) return hasOrdinaryNanos as Check;
  return desc.typeName.startsWith("google.protobuf.") ? always : messageCheck(desc, within);
}

function hasOrdinaryNanos({ nanos }: Timestamp): boolean {
  return nanos >= 0 && nanos <= 999_999_999;
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
    case "enum":
      return enumCheck(field, type.value);
    case "timestamp":
      return timestampCheck(type.value);
    case "repeated": {
      only(RepeatedRulesSchema, type.value, ["maxItems"]);
      const most = Number(type.value.maxItems);
      return (list) => (list as unknown[]).length <= most;
    }
    default:
      throw new UnknownRule();
  }
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
    return text.length >= least && text.length <= most && (pattern?.test(text) ?? true);
  };
}

function numberCheck<R extends Int32Rules | UInt32Rules>(
  schema: typeof Int32RulesSchema | typeof UInt32RulesSchema,
  rules: R,
): Check {
  only(schema, rules, ["gt", "gte", "lt", "lte"]);
  const { greaterThan: low, lessThan: high } = rules;
  return (value) => {
    const number = value as number;
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
