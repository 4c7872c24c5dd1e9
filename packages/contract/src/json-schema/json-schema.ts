import type { DescEnum, DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import { getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import type { FieldRules, Rule } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { message as messageRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { descriptionOf, descriptionOfEnum, descriptionOfField } from "../documents/descriptions.ts";
import { rulesOf } from "../fields/field-rules.ts";
import { isRequired, listConstraints, scalarConstraints } from "./json-constraints.ts";

/** A JSON Schema in the words that draft 2020-12 (OpenAPI 3.1) and draft 7 (AsyncAPI 3.0) have in common. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Schemas of messages by name, filled while they are referred to. */
export interface SchemaRegistry {
  /** A reference to the schema of that message's proto3 JSON. */
  ref(message: DescMessage): JsonSchema;
  /** The schema of a field's value with its protovalidate rules. */
  ofField(field: DescField): JsonSchema;
  /** All schemas that were referred to, by name. */
  all(): Readonly<Record<string, JsonSchema>>;
}

const int64Pattern = "^-?[0-9]{1,19}$";
const uint64Pattern = "^[0-9]{1,20}$";

const wellKnown: Readonly<Record<string, JsonSchema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$" },
  "google.protobuf.FieldMask": { type: "string" },
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array" },
  "google.protobuf.Empty": { type: "object" },
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string" } },
    required: ["@type"],
  },
};

const wrapped: Readonly<Record<string, ScalarType>> = {
  "google.protobuf.DoubleValue": ScalarType.DOUBLE,
  "google.protobuf.FloatValue": ScalarType.FLOAT,
  "google.protobuf.Int64Value": ScalarType.INT64,
  "google.protobuf.UInt64Value": ScalarType.UINT64,
  "google.protobuf.Int32Value": ScalarType.INT32,
  "google.protobuf.UInt32Value": ScalarType.UINT32,
  "google.protobuf.BoolValue": ScalarType.BOOL,
  "google.protobuf.StringValue": ScalarType.STRING,
  "google.protobuf.BytesValue": ScalarType.BYTES,
};

type Ref = SchemaRegistry["ref"];

/** Starts with no schema. `closed`: a member that the message does not have is rejected. */
export function createSchemaRegistry({ closed }: { readonly closed: boolean }): SchemaRegistry {
  const schemas = new Map<string, JsonSchema>();
  const ref: Ref = (message) => {
    const known = wellKnownSchema(message.typeName);
    if (known !== undefined) {
      return known;
    }
    if (!schemas.has(message.typeName)) {
      // Reserved first: a message may contain itself.
      schemas.set(message.typeName, {});
      const schema = messageSchema(message, ref);
      schemas.set(message.typeName, closed ? { ...schema, additionalProperties: false } : schema);
    }
    return { $ref: `#/components/schemas/${message.typeName}` };
  };
  return {
    ref,
    ofField: (field) => fieldSchema(field, ref),
    all: () => Object.fromEntries([...schemas].sort()),
  };
}

function wellKnownSchema(typeName: string): JsonSchema | undefined {
  const scalar = wrapped[typeName];
  return scalar === undefined ? wellKnown[typeName] : scalarSchema(scalar);
}

function messageSchema(message: DescMessage, ref: Ref): JsonSchema {
  const required = requiredFields(message);
  const notes = hasOption(message, messageRules)
    ? celNotes(getOption(message, messageRules).cel)
    : "";
  const choices = message.oneofs.map(oneofSchema).filter((schema) => schema !== undefined);
  return {
    type: "object",
    ...described(descriptionOf(message), notes),
    properties: Object.fromEntries(message.fields.map((f) => [f.jsonName, fieldSchema(f, ref)])),
    ...(required.length > 0 && { required }),
    ...(choices.length > 0 && { allOf: choices }),
  };
}

function fieldSchema(field: DescField, ref: Ref): JsonSchema {
  const rules = rulesOf(field);
  const notes = celNotes(rules?.cel ?? []);
  const schema = constrainedSchema(field, rules, ref);
  // The list of an enum's values goes below what the field says.
  const parts = [descriptionOfField(field), notes, schema.description as string | undefined];
  return { ...schema, ...described(...parts) };
}

function described(...parts: readonly (string | undefined)[]): { description?: string } {
  const description = parts.filter(Boolean).join("\n\n");
  return description === "" ? {} : { description };
}

function constrainedSchema(field: DescField, rules: FieldRules | undefined, ref: Ref): JsonSchema {
  if (field.fieldKind === "list") {
    const itemRules = rules?.type.case === "repeated" ? rules.type.value.items : undefined;
    const items = { ...valueSchema(field, ref), ...scalarConstraints(itemRules) };
    return { type: "array", items, ...listConstraints(rules) };
  }
  if (field.fieldKind === "map") {
    return { type: "object", additionalProperties: valueSchema(field, ref) };
  }
  return { ...valueSchema(field, ref), ...scalarConstraints(rules) };
}

function valueSchema(field: DescField, ref: Ref): JsonSchema {
  if (field.message !== undefined) {
    return ref(field.message);
  }
  return field.enum === undefined ? scalarSchema(field.scalar) : enumSchema(field.enum);
}

/** Fields that a message cannot be valid without, by JSON name. */
export function requiredFields(message: DescMessage): string[] {
  return message.fields.filter((f) => isRequired(f, rulesOf(f))).map((f) => f.jsonName);
}

/** Rules in CEL have no counterpart in JSON Schema; they become descriptions. */
function celNotes(rules: readonly Rule[]): string {
  return rules.map((rule) => rule.message || rule.expression).join("; ");
}

/** Of a real oneof at most one member may be there. */
function oneofSchema(oneof: DescOneof): JsonSchema | undefined {
  const names = oneof.fields.map((field) => field.jsonName);
  const pairs = names.flatMap((a, i) => names.slice(i + 1).map((b) => ({ required: [a, b] })));
  return pairs.length > 0 ? { not: { anyOf: pairs } } : undefined;
}

function enumSchema(desc: DescEnum): JsonSchema {
  if (desc.typeName === "google.protobuf.NullValue") {
    return { type: "null" };
  }
  const description = descriptionOfEnum(desc);
  return { type: "string", enum: desc.values.map((value) => value.name), description };
}

function scalarSchema(scalar: ScalarType | undefined): JsonSchema {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return { type: "number", format: scalar === ScalarType.FLOAT ? "float" : "double" };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", format: "int64", minimum: 0, maximum: 4_294_967_295 };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: "integer", format: "int32" };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: "string", format: "uint64", pattern: uint64Pattern };
    default:
      return { type: "string", format: "int64", pattern: int64Pattern };
  }
}
