/**
 * Accepts ordinary messages without protovalidate, which takes 15 to 50 µs and up to 30 KB of garbage per message: too much for each
 * request and each status of an order. Compiled once per type from the same rules. It never accepts a message that protovalidate rejects;
 * where it does not accept one, or does not know a rule, protovalidate decides and reports the violations.
 */
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { hasOption } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  FieldRulesSchema,
  Ignore,
  message as messageRules,
  oneof as oneofRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { rulesOf } from "../fields/field-rules.ts";
import type { Check } from "./rule-checks.ts";
import { allowOnly, typeCheck, UnknownRuleError, uniqueCheck } from "./rule-checks.ts";

const timestamp = "google.protobuf.Timestamp";

/** True: the message keeps all rules of its type. False: it may break one. */
type QuickCheck = (message: Message) => boolean;

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
    if (error instanceof UnknownRuleError) return undefined;
    throw error;
  }
}

function messageCheck(desc: DescMessage, within: readonly DescMessage[]): Check {
  const isOptioned =
    hasOption(desc, messageRules) || desc.oneofs.some((o) => hasOption(o, oneofRules));
  // A type within itself would need a check of its own; no event has one.
  if (isOptioned || within.includes(desc)) throw new UnknownRuleError();
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
    allowOnly(FieldRulesSchema, rules, ["required", "cel", rules.type.case ?? ""]);
  }
  // A presence that is tracked changes when a rule applies.
  if (field.oneof !== undefined || field.fieldKind === "map") throw new UnknownRuleError();
  const own = rules && typeCheck(field, rules);
  const isRequired = rules?.required === true;
  const expressions = rules?.cel ?? [];
  if (field.fieldKind !== "list" && expressions.length > 0) throw new UnknownRuleError();
  switch (field.fieldKind) {
    case "list": {
      if (isRequired) throw new UnknownRuleError();
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
