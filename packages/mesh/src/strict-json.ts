import type { DescField, DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import { fromJson, ScalarType } from "@bufbuild/protobuf";
import type { FieldViolation } from "./errors.ts";
import { ValidationError } from "./errors.ts";
import { describeExpected } from "./expected-json.ts";

/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue };

/**
 * Proto3 JSON takes numbers of 32 bits in quotes, and numbers that a reader of JSON cannot have kept exact. A body may
 * have neither: what the OpenAPI document says is what is taken.
 * @throws ValidationError with a violation for each field that is wrong, whatever is wrong with it.
 */
export function assertExactNumbers(
  schema: DescMessage,
  json: JsonValue,
): asserts json is JsonObject {
  if (!isObject(json)) {
    throw new ValidationError([{ field: "", message: "the body must be an object" }]);
  }
  const inexact = findInexactNumbers(schema, json, "");
  if (inexact.length > 0) {
    const named = new Set(inexact.map(({ field }) => field));
    const others = findViolations(schema, json, "").filter(({ field }) => !named.has(field));
    throw new ValidationError([...inexact, ...others]);
  }
}

/**
 * Reads proto3 JSON, unknown fields refused.
 * @throws ValidationError with a violation for each field that is wrong.
 */
export function readJson(schema: DescMessage, json: JsonValue): Message {
  try {
    return fromJson(schema, json, { ignoreUnknownFields: false });
  } catch (cause) {
    const found = findViolations(schema, json, "");
    // Two members of a oneof, or a name and its alias: right each for itself, wrong together.
    const together = { field: "", message: "two fields exclude each other, or one is set twice" };
    throw new ValidationError(found.length > 0 ? found : [together], { cause });
  }
}

/** The field of that JSON or proto name. */
export function findField(schema: DescMessage, name: string): DescField | undefined {
  return schema.fields.find((field) => field.jsonName === name || field.name === name);
}

/** A message whose JSON is an object with its fields, unlike Timestamp and its like. */
export function hasPlainJson(schema: DescMessage): boolean {
  return !schema.typeName.startsWith("google.protobuf.");
}

const numberTypes: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT32,
  ScalarType.UINT32,
  ScalarType.SINT32,
  ScalarType.FIXED32,
  ScalarType.SFIXED32,
  ScalarType.FLOAT,
  ScalarType.DOUBLE,
]);
const notFinite: ReadonlySet<JsonValue> = new Set(["NaN", "Infinity", "-Infinity"]);

function findInexactNumbers(schema: DescMessage, json: JsonObject, path: string): FieldViolation[] {
  return Object.entries(json).flatMap(([key, value]) => {
    const field = findField(schema, key);
    if (field === undefined || value === null) {
      return [];
    }
    const at = join(path, key);
    if (field.fieldKind === "list" && Array.isArray(value)) {
      return value.flatMap((item, i) => inexactValue(field, item, `${at}[${i}]`));
    }
    return inexactValue(field, value, at);
  });
}

function inexactValue(field: DescField, value: JsonValue, at: string): FieldViolation[] {
  if (field.message !== undefined && field.fieldKind !== "map") {
    return isObject(value) && hasPlainJson(field.message)
      ? findInexactNumbers(field.message, value, at)
      : [];
  }
  const quoted = typeof value === "string" && !notFinite.has(value);
  if (quoted && field.scalar !== undefined && numberTypes.has(field.scalar)) {
    return [{ field: at, message: "must be a number, without quotes" }];
  }
  const rounded =
    typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
  return rounded ? [{ field: at, message: "is too large for a number; write it as a string" }] : [];
}

/** Only called when the JSON was refused: tries each part by itself to find those that are wrong. */
function findViolations(schema: DescMessage, json: JsonValue, path: string): FieldViolation[] {
  if (!isObject(json)) {
    return [{ field: path, message: "must be an object" }];
  }
  return Object.entries(json).flatMap(([key, value]) => {
    const field = findField(schema, key);
    const at = join(path, key);
    if (field === undefined) {
      return [{ field: at, message: "is not a known field" }];
    }
    return value === null ? [] : violationsOfField(schema, field, value, at);
  });
}

function violationsOfField(
  schema: DescMessage,
  field: DescField,
  value: JsonValue,
  at: string,
): FieldViolation[] {
  if (field.fieldKind === "list") {
    if (!Array.isArray(value)) {
      return [{ field: at, message: "must be a list" }];
    }
    return value.flatMap((item, i) =>
      violationsOfValue(schema, field, item, [item], `${at}[${i}]`),
    );
  }
  return violationsOfValue(schema, field, value, value, at);
}

/** `whole` is what the field as such would hold: for an item, a list of it. */
function violationsOfValue(
  schema: DescMessage,
  field: DescField,
  value: JsonValue,
  whole: JsonValue,
  at: string,
): FieldViolation[] {
  if (field.fieldKind !== "map" && field.message !== undefined && hasPlainJson(field.message)) {
    return findViolations(field.message, value, at);
  }
  try {
    fromJson(schema, { [field.jsonName]: whole });
    return [];
  } catch {
    return [{ field: at, message: describeExpected(field) }];
  }
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
