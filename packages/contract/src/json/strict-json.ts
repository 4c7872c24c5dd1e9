import type { DescField, DescMessage, DescOneof, JsonValue, Message } from "@bufbuild/protobuf";
import { fromJson } from "@bufbuild/protobuf";
import { joinName } from "../fields/field-path.ts";
import { findField, hasPlainJson } from "../fields/json-fields.ts";
import type { FieldViolation } from "../validation/field-violation.ts";
import { maxItemsOf } from "../validation/message-size.ts";
import { describeExpected } from "./expected-json.ts";
import { InvalidMessageError } from "./json-errors.ts";

/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue };

/** How JSON is read. */
export interface ReadJsonOptions {
  /** Ignore members that the contract does not know, as RPC does. Default: they are rejected. */
  readonly ignoreUnknownFields?: boolean;
}

/**
 * Reads proto3 JSON.
 * @throws InvalidMessageError with a violation for each field that is wrong.
 */
export function readJson(
  schema: DescMessage,
  json: JsonValue,
  options: ReadJsonOptions = {},
): Message {
  try {
    return fromJson(schema, json, options);
  } catch (cause) {
    const found = findViolations(schema, json, options);
    const whole = { field: "", message: "is not valid for this method" };
    throw new InvalidMessageError(found.length > 0 ? found : [whole], { cause });
  }
}

/** Only called when JSON was rejected: tries each part by itself to find the invalid ones. */
export function findViolations(
  schema: DescMessage,
  json: JsonValue,
  options: ReadJsonOptions,
): FieldViolation[] {
  const found = { violations: [], options };
  inspectMessage(schema, json, "", found);
  return found.violations;
}

interface Found {
  readonly violations: FieldViolation[];
  readonly options: ReadJsonOptions;
}

/** Maximum number of violations that are reported: each one costs an exception. */
const maxViolations = 1000;

function inspectMessage(schema: DescMessage, json: JsonValue, path: string, found: Found): void {
  if (!isObject(json)) {
    found.violations.push({ field: path, message: "must be an object" });
    return;
  }
  const taken = new Map<DescField | DescOneof, string>();
  for (const [key, value] of Object.entries(json)) {
    if (found.violations.length >= maxViolations) {
      return;
    }
    const field = findField(schema, key);
    const at = joinName(path, key);
    if (field !== undefined) {
      inspectRepetition(field, key, value, at, taken, found);
      if (value !== null) {
        inspectField(schema, field, value, at, found);
      }
    } else if (!found.options.ignoreUnknownFields) {
      found.violations.push({ field: at, message: "is not a known field" });
    }
  }
}

/** A field has a name in JSON and one in the proto; of a oneof one member may be there. */
function inspectRepetition(
  field: DescField,
  key: string,
  value: JsonValue,
  at: string,
  taken: Map<DescField | DescOneof, string>,
  found: Found,
): void {
  const sameField = taken.get(field);
  const sameOneof = field.oneof && taken.get(field.oneof);
  if (sameField !== undefined) {
    const message = `is another spelling of ${sameField}; send one of the two`;
    found.violations.push({ field: at, message });
  } else if (sameOneof !== undefined && value !== null) {
    found.violations.push({
      field: at,
      message: `cannot be combined with ${sameOneof}; send one of them`,
    });
  }
  taken.set(field, key);
  if (field.oneof !== undefined && value !== null) {
    taken.set(field.oneof, key);
  }
}

function inspectField(
  schema: DescMessage,
  field: DescField,
  value: JsonValue,
  at: string,
  found: Found,
): void {
  if (field.fieldKind !== "list") {
    inspectValue(schema, field, value, value, at, found);
    return;
  }
  if (!Array.isArray(value)) {
    found.violations.push({ field: at, message: "must be a list" });
    return;
  }
  const maxItems = maxItemsOf(field);
  if (maxItems !== undefined && value.length > maxItems) {
    found.violations.push({ field: at, message: `must contain no more than ${maxItems} item(s)` });
    return;
  }
  for (const [i, item] of value.entries()) {
    inspectValue(schema, field, item, [item], `${at}[${i}]`, found);
  }
}

/** `whole` is what the field as such would hold: for an item, a list of it. */
function inspectValue(
  schema: DescMessage,
  field: DescField,
  value: JsonValue,
  whole: JsonValue,
  at: string,
  found: Found,
): void {
  if (field.fieldKind !== "map" && field.message !== undefined && hasPlainJson(field.message)) {
    inspectMessage(field.message, value, at, found);
    return;
  }
  try {
    fromJson(schema, { [field.jsonName]: whole }, found.options);
  } catch {
    found.violations.push({ field: at, message: describeExpected(field) });
  }
}

/** Whether the JSON is an object. */
export function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
