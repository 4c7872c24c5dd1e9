import type { DescField, JsonValue, Message } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import type { FieldChain, FieldViolation, JsonObject, RestRoute } from "@smartcart/contract";
import {
  describeExpected,
  isWholeNumber,
  jsonPathOf,
  parseExactJson,
  readJson,
  resolveChain,
} from "@smartcart/contract";
import { ValidationError } from "../errors/errors.ts";

/** What of an HTTP request makes up the request message. */
export interface RestInput {
  /** Values of the route's variables, decoded. */
  readonly pathValues: readonly string[];
  readonly query: URLSearchParams;
  /** The text of the body; undefined where none was sent. */
  readonly body: string | undefined;
}

/**
 * The request message of a route: from the path, the body and the query, as google/api/http.proto lays it down.
 * @throws MalformedJsonError where the body is not JSON.
 * @throws InvalidMessageError or ValidationError with a violation for each parameter and field that is wrong.
 */
export function buildRequest(route: RestRoute, input: RestInput): Message {
  const schema = route.method.input;
  const json = jsonOfBody(route, input.body);
  const violations: FieldViolation[] = [];
  for (const [key, values] of groupQuery(input.query)) {
    const chain = route.body === "*" ? undefined : resolveChain(schema, key);
    if (chain === undefined) {
      violations.push({ field: key, message: "is not a known parameter" });
    } else {
      setQueryValue(json, key, chain, values, violations);
    }
  }
  for (const [i, chain] of route.variables.entries()) {
    setText(json, jsonPathOf(chain), chain, [input.pathValues[i] ?? ""], violations);
  }
  if (violations.length > 0) {
    throw new ValidationError(violations);
  }
  return readJson(schema, json);
}

/** An empty body is an empty message: `curl -X POST` without data is enough for a method that needs none. */
function jsonOfBody(route: RestRoute, body: string | undefined): JsonObject {
  if (route.body === undefined || body === undefined) {
    return {};
  }
  const field = route.body === "*" ? undefined : route.body;
  return parseExactJson(route.method.input, body, { field, plainNumbers: true }).json;
}

function groupQuery(query: URLSearchParams): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, value] of query) {
    const values = groups.get(key) ?? [];
    values.push(value);
    groups.set(key, values);
  }
  return groups;
}

function setQueryValue(
  json: JsonObject,
  key: string,
  chain: FieldChain,
  values: readonly string[],
  violations: FieldViolation[],
): void {
  const field = chain.at(-1) as DescField;
  if (field.fieldKind === "map") {
    violations.push({ field: key, message: "cannot be set by a parameter" });
  } else if (field.fieldKind !== "list" && values.length > 1) {
    violations.push({ field: key, message: "must be set only once" });
  } else {
    setText(json, key, chain, values, violations);
  }
}

function setText(
  json: JsonObject,
  name: string,
  chain: FieldChain,
  texts: readonly string[],
  violations: FieldViolation[],
): void {
  const field = chain.at(-1) as DescField;
  // `Number` takes "0x10" and "1e3" as well; a parameter is a number as OpenAPI has it.
  if (isWholeNumber(field.scalar) && !texts.every((text) => /^-?\d+$/.test(text))) {
    violations.push({ field: name, message: describeExpected(field) });
    return;
  }
  const values = texts.map((text) => textToJson(field, text));
  setValue(json, chain, field.fieldKind === "list" ? values : (values[0] ?? ""));
}

function setValue(json: JsonObject, chain: FieldChain, value: JsonValue): void {
  let target = json;
  for (const field of chain.slice(0, -1)) {
    const inner = (target[field.jsonName] ?? {}) as JsonObject;
    target[field.jsonName] = inner;
    target = inner;
  }
  const last = chain.at(-1) as DescField;
  // The body may have used the proto's own name; the path wins over it.
  delete target[last.name];
  target[last.jsonName] = value;
}

/** Text of a parameter as proto3 JSON, which takes numbers in quotes as well, but neither booleans nor enum numbers. */
function textToJson(field: DescField, text: string): JsonValue {
  if (field.scalar === ScalarType.BOOL && (text === "true" || text === "false")) {
    return text === "true";
  }
  if (field.enum !== undefined && /^-?\d+$/.test(text)) {
    return Number(text);
  }
  return text;
}
