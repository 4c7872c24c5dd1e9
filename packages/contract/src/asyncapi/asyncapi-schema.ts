import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";

/** A JSON Schema. */
export type JsonSchema = { readonly [key: string]: unknown };

/** Schemas by full message or enum name, filled as they are asked for. */
export type SchemaPool = Map<string, JsonSchema>;

/**
 * A reference to the schema of a message in proto3 JSON; it and all that it uses are put into the
 * pool.
 */
export function messageSchema(desc: DescMessage, pool: SchemaPool): JsonSchema {
  const wellKnown = wellKnownSchemas[desc.typeName];
  if (wellKnown !== undefined) return wellKnown;
  if (!pool.has(desc.typeName)) {
    // Taken before the fields are looked at: a message may contain itself.
    pool.set(desc.typeName, {});
    const fields = desc.fields.map((field) => [field.jsonName, fieldSchema(field, pool)]);
    pool.set(desc.typeName, { type: "object", properties: Object.fromEntries(fields) });
  }
  return { $ref: `#/components/schemas/${desc.typeName}` };
}

const wellKnownSchemas: Readonly<Record<string, JsonSchema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string" },
  "google.protobuf.Struct": { type: "object" },
};

function fieldSchema(field: DescField, pool: SchemaPool): JsonSchema {
  switch (field.fieldKind) {
    case "list":
      return { type: "array", items: valueSchema(field, pool) };
    case "map":
      return { type: "object", additionalProperties: valueSchema(field, pool) };
    default:
      return valueSchema(field, pool);
  }
}

function valueSchema(
  field: {
    message?: DescMessage | undefined;
    enum?: DescEnum | undefined;
    scalar?: ScalarType | undefined;
  },
  pool: SchemaPool,
): JsonSchema {
  if (field.message !== undefined) return messageSchema(field.message, pool);
  if (field.enum !== undefined) return enumSchema(field.enum, pool);
  return scalarSchema(field.scalar ?? ScalarType.STRING);
}

function enumSchema(desc: DescEnum, pool: SchemaPool): JsonSchema {
  pool.set(desc.typeName, { type: "string", enum: desc.values.map((value) => value.name) });
  return { $ref: `#/components/schemas/${desc.typeName}` };
}

/** https://protobuf.dev/programming-guides/json/: 64-bit numbers are strings. */
function scalarSchema(scalar: ScalarType): JsonSchema {
  switch (scalar) {
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: "number" };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer" };
    default:
      return { type: "string", pattern: "^-?[0-9]+$" };
  }
}
