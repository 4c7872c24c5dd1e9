import type { DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "@smartcart/gen/google/api/annotations_pb";
import type { HttpRule } from "@smartcart/gen/google/api/http_pb";
import type { RestPolicy } from "@smartcart/gen/mesh/v1/options_pb";
import { findField, hasPlainJson } from "../fields/json-fields.ts";
import type { JsonSchema } from "../json-schema/json-schema.ts";
import { policyOf } from "../methods/policy.ts";

/** A REST route of a unary method, as `google.api.http` (google/api/http.proto) states it. */
export interface RestRoute {
  readonly method: DescMethod;
  /** "GET". */
  readonly verb: string;
  /** Path for Hono's router; its parameters are called p0, p1, … in the order of `variables`. */
  readonly routerPath: string;
  /** Path for OpenAPI: "/orders/{orderId}". */
  readonly openApiPath: string;
  /** Fields that the path sets. */
  readonly variables: readonly FieldChain[];
  /** What the body holds: the whole message, one field of it, or undefined: there is no body. */
  readonly body: "*" | DescField | undefined;
  /** The field of the response that is answered; undefined: the response itself. */
  readonly responseField: DescField | undefined;
  readonly rest: RestPolicy | undefined;
}

/** A request header that a method reads. */
export interface RestHeader {
  /** In lower case: "idempotency-key". */
  readonly name: string;
  /** Its purpose, for OpenAPI. */
  readonly description: string;
  /** The JSON Schema of its values, for OpenAPI. */
  readonly schema: JsonSchema;
}

/** A field, perhaps of a message in a message: each element is a field of the message before it. */
export type FieldChain = readonly [DescField, ...DescField[]];

/** All REST routes of the services. @throws Error where the contract states one that cannot be served. */
export function restRoutes(services: readonly DescService[]): RestRoute[] {
  return services.flatMap((service) => service.methods.flatMap(routesOf));
}

function routesOf(method: DescMethod): RestRoute[] {
  if (!hasOption(method, http)) {
    return [];
  }
  if (method.methodKind !== "unary") {
    throw new Error(`${nameOf(method)}: a stream cannot have a REST route`);
  }
  const rule = getOption(method, http);
  return [rule, ...rule.additionalBindings].map((binding) => buildRoute(method, binding));
}

function buildRoute(method: DescMethod, rule: HttpRule): RestRoute {
  const { verb, template } = patternOf(method, rule);
  const path = parseTemplate(method, template);
  return {
    method,
    verb,
    ...path,
    body:
      rule.body === "*" || rule.body === ""
        ? rule.body || undefined
        : topField(method, method.input, rule.body),
    responseField:
      rule.responseBody === "" ? undefined : topField(method, method.output, rule.responseBody),
    rest: policyOf(method).rest,
  };
}

function patternOf(method: DescMethod, { pattern }: HttpRule) {
  switch (pattern.case) {
    case undefined:
      throw new Error(`${nameOf(method)}: its google.api.http has no path`);
    case "custom":
      return { verb: pattern.value.kind, template: pattern.value.path };
    default:
      return { verb: pattern.case.toUpperCase(), template: pattern.value };
  }
}

const variablePattern = /\{([^}=]+)(?:=([^}]+))?\}/g;

function parseTemplate(method: DescMethod, template: string) {
  const variables: FieldChain[] = [];
  const addVariable = (name: string) => variables.push(fieldChain(method, name)) - 1;
  const literal = template.replaceAll(variablePattern, "");
  if (!template.startsWith("/") || /[*:{}]/.test(literal)) {
    throw new Error(`${nameOf(method)}: the path ${template} uses what is not supported here`);
  }
  const routerPath = template.replaceAll(variablePattern, (_, name: string, segments?: string) => {
    const parameter = `:p${addVariable(name)}`;
    return segments === undefined || segments === "*"
      ? parameter
      : `${parameter}{${segmentsRegExp(segments)}}`;
  });
  const openApiPath = template.replaceAll(
    variablePattern,
    (_, name: string) => `{${jsonPathOf(fieldChain(method, name))}}`,
  );
  return { routerPath, openApiPath, variables };
}

/** "shelves/*" to a regular expression: a star is one segment, two stars are all that follow. */
function segmentsRegExp(segments: string): string {
  return segments
    .split("/")
    .map((segment) => {
      if (segment === "**") {
        return ".+";
      }
      return segment === "*" ? "[^/]+" : segment.replaceAll(/[^\w-]/g, "\\$&");
    })
    .join("/");
}

/** The dotted name as query parameters and OpenAPI have it: "filter.orderId". */
export function jsonPathOf(chain: FieldChain): string {
  return chain.map((field) => field.jsonName).join(".");
}

/** Follows a dotted name of JSON or proto names; undefined where there is no such field. */
export function resolveChain(schema: DescMessage, dotted: string): FieldChain | undefined {
  const [head, ...rest] = dotted.split(".");
  const field = findField(schema, head ?? "");
  if (field === undefined || rest.length === 0) {
    return field && [field];
  }
  const isMessage = field.fieldKind === "message" && hasPlainJson(field.message);
  const tail = isMessage ? resolveChain(field.message, rest.join(".")) : undefined;
  return tail && [field, ...tail];
}

function fieldChain(method: DescMethod, dotted: string): FieldChain {
  const chain = resolveChain(method.input, dotted);
  if (chain === undefined) {
    throw new Error(`${nameOf(method)}: ${method.input.typeName} has no field ${dotted}`);
  }
  return chain;
}

function topField(method: DescMethod, schema: DescMessage, name: string): DescField {
  const field = findField(schema, name);
  if (field === undefined) {
    throw new Error(`${nameOf(method)}: ${schema.typeName} has no field ${name}`);
  }
  return field;
}

function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
