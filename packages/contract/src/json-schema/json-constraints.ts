import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { isFieldSet } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { FieldRulesSchema, Ignore } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

type Constraints = Record<string, unknown>;
/** Rules that are set, by local name; bigints are turned into numbers. */
type SetRules = Readonly<Record<string, unknown>>;

/** Formats of JSON Schema for the string formats of protovalidate. */
const formats: Readonly<Record<string, string>> = {
  email: "email",
  hostname: "hostname",
  ipv4: "ipv4",
  ipv6: "ipv6",
  uri: "uri",
  uriRef: "uri-reference",
  uuid: "uuid",
};

/** Types whose JSON is a number, so that bounds apply. */
const numberKinds: ReadonlySet<string | undefined> = new Set([
  "int32",
  "sint32",
  "sfixed32",
  "uint32",
  "fixed32",
  "float",
  "double",
]);

/** What of the rules of a single value JSON Schema can say; the rest holds all the same. */
export function scalarConstraints(rules: FieldRules | undefined): Constraints {
  const kind = rules?.type.case;
  const set = setRules(rules);
  if (kind === "string") {
    return present({
      const: set.const,
      minLength: positive(set.len ?? set.minLen),
      maxLength: set.len ?? set.maxLen,
      pattern: ecmaPattern(set.pattern),
      enum: set.in,
      format: Object.entries(formats).find(([rule]) => set[rule] === true)?.[1],
    });
  }
  if (numberKinds.has(kind)) {
    return present({
      const: set.const,
      minimum: set.gte,
      exclusiveMinimum: set.gt,
      maximum: set.lte,
      exclusiveMaximum: set.lt,
      enum: set.in,
    });
  }
  return kind === "bool" ? present({ const: set.const }) : {};
}

/** How long a list may be. */
export function listConstraints(rules: FieldRules | undefined): Constraints {
  if (rules?.type.case !== "repeated") {
    return {};
  }
  const { minItems, maxItems, unique } = setRules(rules);
  return present({ minItems: positive(minItems), maxItems, uniqueItems: unique || undefined });
}

/** Whether leaving the field out breaks a rule: it is required, or its zero value is not valid. */
export function isRequired(field: DescField, rules: FieldRules | undefined): boolean {
  if (rules?.required) {
    return true;
  }
  const hasPresence = field.fieldKind === "message" || ("presence" in field && isExplicit(field));
  // An absent field is then not looked at.
  if (rules === undefined || rules.ignore !== Ignore.UNSPECIFIED || hasPresence) {
    return false;
  }
  const set = { ...listConstraints(rules), ...scalarConstraints(rules) };
  return (
    Number(set.minItems ?? 0) > 0 ||
    Number(set.minLength ?? 0) > 0 ||
    Number(set.minimum ?? 0) > 0 ||
    Number(set.exclusiveMinimum ?? -1) >= 0 ||
    (typeof set.pattern === "string" && !new RegExp(set.pattern, "u").test(""))
  );
}

function isExplicit(field: DescField): boolean {
  return field.oneof !== undefined || field.proto.proto3Optional;
}

/** The rules have field presence, and defaults stand where nothing is set: only what is set is taken. */
function setRules(rules: FieldRules | undefined): SetRules {
  if (rules?.type.case === undefined) {
    return {};
  }
  const { case: kind, value } = rules.type;
  const schema = FieldRulesSchema.field[kind].message as DescMessage;
  const set: Record<string, unknown> = {};
  for (const field of schema.fields) {
    if (isFieldSet(value as Message, field)) {
      const holder = (field.oneof ? { ...valueOfOneof(value, field) } : value) as SetRules;
      set[field.localName] = toNumbers(holder[field.localName]);
    }
  }
  return set;
}

function valueOfOneof(value: object, field: DescField): SetRules {
  const member = (value as Record<string, { value?: unknown }>)[field.oneof?.localName ?? ""];
  return { [field.localName]: member?.value };
}

function toNumbers(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(toNumbers);
  }
  return typeof value === "bigint" ? Number(value) : value;
}

/** protovalidate has the syntax of RE2; what ECMAScript cannot read is left out. */
function ecmaPattern(pattern: unknown): string | undefined {
  if (typeof pattern !== "string") {
    return undefined;
  }
  try {
    new RegExp(pattern, "u");
    return pattern;
  } catch {
    return undefined;
  }
}

function positive(value: unknown): number | undefined {
  return Number(value ?? 0) > 0 ? Number(value) : undefined;
}

function present(constraints: Constraints): Constraints {
  return Object.fromEntries(Object.entries(constraints).filter(([, value]) => value !== undefined));
}
