import type { DescField, DescMessage, DescService } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { accessOf } from "../access/access-rule.ts";
import { descriptionOf } from "../documents/descriptions.ts";
import { exampleOf, exampleOfField, hasExample } from "../documents/examples.ts";
import { hasPlainJson } from "../fields/json-fields.ts";
import type { JsonSchema, SchemaRegistry } from "../json-schema/json-schema.ts";
import { createSchemaRegistry, requiredFields } from "../json-schema/json-schema.ts";
import type { FieldChain, RestHeader, RestRoute } from "../rest/rest-routes.ts";
import { jsonPathOf, restRoutes } from "../rest/rest-routes.ts";
import type { MethodProblems } from "./problem-responses.ts";
import { problemComponents, problemResponses } from "./problem-responses.ts";

/** What the document says of itself. */
export interface OpenApiInfo {
  readonly title: string;
  /** Version of the API. */
  readonly version: string;
  readonly description?: string;
  /** Request headers that the methods read. */
  readonly headers?: readonly RestHeader[];
  /** Problems of single methods, beside those that every method of its kind may answer with. */
  readonly problems?: MethodProblems;
}

const bearerScheme = {
  type: "http",
  scheme: "bearer",
  bearerFormat: "JWT",
  description:
    "Access token of a customer or an operator. Required where the shop runs with an issuer; on loopback without one it is optional.",
};

/** An OpenAPI 3.1 document of the REST routes of the services; protovalidate rules become constraints where they can. */
export function createOpenApi(services: readonly DescService[], info: OpenApiInfo): object {
  const schemas = createSchemaRegistry({ closed: true });
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of restRoutes(services)) {
    const item = paths[route.openApiPath] ?? {};
    item[route.verb.toLowerCase()] = operation(route, schemas, info);
    paths[route.openApiPath] = item;
  }
  const { title, version, description } = info;
  return {
    openapi: "3.1.0",
    info: {
      title,
      version,
      ...(description && { description }),
      license: { name: "Apache License 2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The server of this document" }],
    tags: services.map((service) => ({
      name: service.name,
      description: descriptionOf(service) ?? "",
    })),
    paths,
    components: {
      schemas: { ...schemas.all(), ...problemComponents.schemas },
      responses: problemComponents.responses,
      securitySchemes: { bearer: bearerScheme },
    },
  };
}

function operation(route: RestRoute, schemas: SchemaRegistry, info: OpenApiInfo) {
  const { method } = route;
  const { headers = [], problems = {} } = info;
  const parameters = [
    ...route.variables.map((chain) => parameter("path", chain, schemas)),
    ...queryFields(route).map((chain) => parameter("query", chain, schemas)),
    // Headers steer what has effects; a read has nothing to steer.
    ...(route.verb === "GET" ? [] : headers).map(({ name, description, schema }) => ({
      name: headerName(name),
      in: "header",
      description,
      schema,
    })),
  ];
  return {
    operationId: method.name,
    tags: [method.parent.name],
    summary: words(method.name),
    description: descriptionOf(method) ?? "",
    ...(parameters.length > 0 && { parameters }),
    ...(route.body !== undefined && { requestBody: requestBody(route, schemas) }),
    responses: { ...responses(route, schemas), ...problemResponses(route, problems[method.name]) },
    security: securityOf(route),
  };
}

/** Without a token only where the method is public, or the server trusts unauthenticated callers. */
function securityOf({ method }: RestRoute): object[] {
  return accessOf(method).isPublic ? [] : [{ bearer: [] }, {}];
}

function requestBody({ body, method, variables }: RestRoute, schemas: SchemaRegistry) {
  const whole = body === "*" || body === undefined;
  const schema = whole ? bodySchema(method.input, variables, schemas) : schemas.ofField(body);
  const required = requiredFields(method.input).length > variables.length;
  const example = whole ? exampleOf(method.input) : exampleOfField(body);
  // What the path sets is not in the body.
  if (whole)
    for (const [first] of variables) delete (example as Record<string, unknown>)[first.jsonName];
  return { required, content: { "application/json": { schema, example } } };
}

/** Fields that the path sets are not asked for in the body. */
function bodySchema(
  input: DescMessage,
  variables: readonly FieldChain[],
  schemas: SchemaRegistry,
): JsonSchema {
  if (variables.length === 0) {
    return schemas.ref(input);
  }
  const set = new Set(variables.map(([first]) => first.jsonName));
  const rest = input.fields.filter((field) => !set.has(field.jsonName));
  const properties = Object.fromEntries(rest.map((f) => [f.jsonName, schemas.ofField(f)]));
  return { type: "object", properties, additionalProperties: false };
}

function responses(route: RestRoute, schemas: SchemaRegistry) {
  const { method, responseField, rest } = route;
  const schema = responseField ? schemas.ofField(responseField) : schemas.ref(method.output);
  const example = responseField ? exampleOfField(responseField) : exampleOf(method.output);
  const content = { "application/json": { schema, example } };
  const headers = rest?.location
    ? { headers: { Location: { schema: { type: "string", format: "uri-reference" } } } }
    : {};
  const success = { description: "Success", ...headers, content };
  const answers: Record<string, unknown> = { [rest?.successStatus || 200]: success };
  for (const { field, value, status } of rest?.when ?? []) {
    const shown = { schema, example: { ...(example as object), [field]: value } };
    answers[status] = {
      ...success,
      description: `Success, where ${field} is ${value}`,
      content: { "application/json": shown },
    };
  }
  return answers;
}

function parameter(where: "path" | "query", chain: FieldChain, schemas: SchemaRegistry) {
  const field = chain.at(-1) as DescField;
  const schema = schemas.ofField(field);
  const required =
    where === "path" ||
    (chain.length === 1 && requiredFields(field.parent).includes(field.jsonName));
  const { description, ...rest } = schema;
  const example = hasExample(field) ? { example: exampleOfField(field) } : {};
  return {
    name: jsonPathOf(chain),
    in: where,
    required,
    ...(description !== undefined && { description }),
    schema: rest,
    ...example,
  };
}

/** Every field that neither path nor body sets; those of messages by their dotted names. */
function queryFields(route: RestRoute): FieldChain[] {
  if (route.body === "*") {
    return [];
  }
  const taken = new Set([...route.variables.map(jsonPathOf), route.body?.jsonName]);
  return leaves(route.method.input, []).filter(
    (chain) => !taken.has(jsonPathOf(chain)) && !taken.has(chain[0].jsonName),
  );
}

function leaves(message: DescMessage, before: readonly DescField[]): FieldChain[] {
  return message.fields.flatMap((field): FieldChain[] => {
    const chain = [...before, field] as unknown as FieldChain;
    if (field.fieldKind === "message" && hasPlainJson(field.message)) {
      // A message inside itself has no end.
      const again = before.some((f) => f.message === field.message);
      return again ? [] : leaves(field.message, chain);
    }
    const settable = field.fieldKind !== "map" && field.scalar !== ScalarType.BYTES;
    return settable ? [chain] : [];
  });
}

function headerName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** "PlaceOrder" as "Place order". */
function words(name: string): string {
  const [first = "", ...rest] = name.split(/(?=[A-Z])/);
  return [first, ...rest.map((word) => word.toLowerCase())].join(" ");
}
