import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { formatPath } from "../fields/field-path.ts";
import { findField, hasPlainJson, is64Bit, isWholeNumber } from "../fields/json-fields.ts";
import type { FieldViolation } from "../validation/field-violation.ts";
import { describeExpected } from "./expected-json.ts";
import { InvalidMessageError, MalformedJsonError } from "./json-errors.ts";
import type { JsonPath, JsonScan, OddValue } from "./json-scan.ts";
import { scanJson } from "./json-scan.ts";
import type { JsonObject, ReadJsonOptions } from "./strict-json.ts";
import { findViolations, isObject } from "./strict-json.ts";

/** Maximum number of repeated members that are reported. */
const maxRepeated = 1000;

/** How the JSON of a message is parsed. */
interface ParseJsonOptions extends ReadJsonOptions {
  /** The JSON is the value of this field alone. Default: it is the message. */
  readonly field?: DescField | undefined;
  /** Numbers that fit into a double must be without quotes, as OpenAPI says. Default: proto3 JSON takes both. */
  readonly plainNumbers?: boolean;
}

/** JSON that was read without loss. */
interface ExactJson {
  /** The JSON of the message. */
  readonly json: JsonObject;
  /** What was parsed: the text as it came, or with the numbers that `JSON.parse` would round in quotes. */
  readonly text: string;
}

/**
 * Parses the JSON of a message and rejects what `JSON.parse` accepts: repeated members, quoted numbers that are not decimal, nesting
 * and members without a bound. A whole number that a double cannot hold is read exactly where its field has 64 bits.
 * @throws MalformedJsonError where the text is not JSON.
 * @throws InvalidMessageError with a violation for each field that is wrong.
 */
export function parseExactJson(
  schema: DescMessage,
  text: string,
  options: ParseJsonOptions = {},
): ExactJson {
  const parsed = parse(text);
  const { field } = options;
  const json = field === undefined ? parsed : { [field.jsonName]: parsed };
  if (!isObject(json)) {
    throw new InvalidMessageError([{ field: "", message: "must be an object" }]);
  }
  const scan = scanJson(text);
  const violations = structureViolations(scan, field);
  const exact = replaceOdd(schema, text, scan.odd, options, violations);
  if (violations.length > 0) {
    const named = new Set(violations.map((violation) => violation.field));
    const others = findViolations(schema, json, options);
    throw new InvalidMessageError([...violations, ...others.filter((v) => !named.has(v.field))]);
  }
  if (exact === text) {
    return { json, text };
  }
  const value = JSON.parse(exact) as JsonObject;
  return { json: field === undefined ? value : { [field.jsonName]: value }, text: exact };
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new MalformedJsonError((cause as Error).message, { cause });
  }
}

/** The text with exact values; what cannot be one is added to `violations`. */
function replaceOdd(
  schema: DescMessage,
  text: string,
  odd: readonly OddValue[],
  { field: root, plainNumbers }: ParseJsonOptions,
  violations: FieldViolation[],
): string {
  const pieces: string[] = [];
  let copied = 0;
  for (const found of odd) {
    const path = root === undefined ? found.path : [root.jsonName, ...found.path];
    const field = fieldAt(schema, path);
    if (field === undefined) {
      continue;
    }
    const outcome = exactValue(field, found, plainNumbers === true);
    if (outcome.wrong !== undefined) {
      violations.push({ field: formatPath(path), message: outcome.wrong });
    } else if (outcome.value !== found.value) {
      pieces.push(text.slice(copied, found.start), outcome.value);
      copied = found.end;
    }
  }
  return copied === 0 ? text : pieces.join("") + text.slice(copied);
}

function structureViolations(
  { twice, tooDeep, tooMany }: JsonScan,
  root: DescField | undefined,
): FieldViolation[] {
  const inMessage = (path: JsonPath) => (root === undefined ? path : [root.jsonName, ...path]);
  const violations: FieldViolation[] = twice.slice(0, maxRepeated).map((path) => ({
    field: formatPath(inMessage(path)),
    message: "is repeated; send it once",
  }));
  // Only the first name: the whole path would be as long as the rejected text.
  for (const [path, message] of [
    [tooDeep, "is nested too deeply"],
    [tooMany, "has too many members"],
  ] as const) {
    if (path !== undefined) {
      violations.push({ field: formatPath(inMessage(path).slice(0, 1)), message });
    }
  }
  return violations;
}

/** The field whose value stands at that path; undefined where the contract has none. */
function fieldAt(schema: DescMessage, path: JsonPath): DescField | undefined {
  let message: DescMessage | undefined = schema;
  let field: DescField | undefined;
  let isContainer = false;
  for (const step of path) {
    if (isContainer) {
      // The step names an item or an entry, whose value the same field describes.
      isContainer = false;
      message = field?.message;
      continue;
    }
    if (message === undefined || typeof step !== "string" || !hasPlainJson(message)) {
      return undefined;
    }
    field = findField(message, step);
    isContainer = field?.fieldKind === "list" || field?.fieldKind === "map";
    message = isContainer ? undefined : field?.message;
  }
  return field;
}

const floatTypes: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.FLOAT,
  ScalarType.DOUBLE,
]);
/** A quoted number as proto3 JSON has it. `Number` and `BigInt` take other notations as well. */
const quotedNumber = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** The JSON to read for a value, most often as it is written; or why there is none. */
type Outcome = { value: string; wrong?: never } | { wrong: string };

function exactValue(field: DescField, { value }: OddValue, plainNumbers: boolean): Outcome {
  const { scalar } = field;
  const isWhole = isWholeNumber(scalar);
  if (value.startsWith('"')) {
    return quotedValue(field, value, plainNumbers);
  }
  if (!isWhole) {
    return { value };
  }
  const digits = wholeNumber(value);
  if (digits === undefined) {
    return { wrong: describeExpected(field) };
  }
  if (Number.isSafeInteger(Number(digits))) {
    return { value: digits };
  }
  return is64Bit(scalar) ? { value: `"${digits}"` } : { wrong: describeExpected(field) };
}

function quotedValue(field: DescField, value: string, plainNumbers: boolean): Outcome {
  const { scalar } = field;
  const isNumber = isWholeNumber(scalar) || floatTypes.has(scalar);
  if (!isNumber || value === '"-Infinity"') {
    return { value };
  }
  if (plainNumbers && !is64Bit(scalar)) {
    return { wrong: "must be a number, without quotes" };
  }
  return quotedNumber.test(JSON.parse(value) as string)
    ? { value }
    : { wrong: describeExpected(field) };
}

/** The number without fraction and exponent; undefined where it is not whole, or of far more than 64 bits. */
function wholeNumber(literal: string): string | undefined {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const digits = (whole + fraction).replace(/^0+(?=\d)/, "");
  const zeros = Number(exponent) - fraction.length;
  if (digits === "0") {
    return "0";
  }
  if (Math.abs(zeros) > literal.length + 20) {
    return undefined;
  }
  const all = zeros >= 0 ? digits + "0".repeat(zeros) : digits.slice(0, zeros);
  const isWhole = zeros >= 0 || /^0+$/.test(digits.slice(zeros));
  return isWhole && all !== "" && all.length <= 20 ? sign + all : undefined;
}
