/** The responses of an operation that fails: RFC 9457, with a stable code. */
import { accessOf } from "../access/access-rule.ts";
import type { JsonSchema } from "../json-schema/json-schema.ts";
import type { RestRoute } from "../rest/rest-routes.ts";

/** Codes of problems by method name and HTTP status: `{ PlaceOrder: { 402: ["PAYMENT_DECLINED"] } }`. */
export type MethodProblems = Readonly<Record<string, Readonly<Record<number, readonly string[]>>>>;

const problemSchema: JsonSchema = {
  type: "object",
  description: "RFC 9457, with further members that depend on the code",
  properties: {
    type: { type: "string", format: "uri" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", description: "Stable; branch on this" },
    instance: { type: "string" },
    violations: {
      type: "array",
      items: {
        type: "object",
        properties: { field: { type: "string" }, message: { type: "string" } },
        required: ["field", "message"],
      },
    },
  },
  required: ["type", "title", "status", "detail", "code"],
};

interface Kind {
  readonly description: string;
  /** Not only for some operations: for those with a body, … */
  readonly applies: (route: RestRoute) => boolean;
}

const always = () => true;
const hasBody = ({ body }: RestRoute) => body !== undefined;
const isProtected = ({ method }: RestRoute) => !accessOf(method).isPublic;

/** The problems that the server itself answers with, by status. */
const kinds: Readonly<Record<number, Kind>> = {
  400: { description: "The request is not valid: `violations` names the fields", applies: always },
  401: { description: "The token is missing, invalid or expired", applies: isProtected },
  403: { description: "The caller may not do this", applies: isProtected },
  404: {
    description: "What the path names does not exist, or belongs to another user",
    applies: ({ variables }) => variables.length > 0,
  },
  413: { description: "The body is too large", applies: hasBody },
  415: { description: "The body is not JSON, or its encoding is not supported", applies: hasBody },
  421: { description: "The request names a host that is not this server", applies: always },
  429: {
    description: "Too many requests from this client or customer, by all protocols together",
    applies: always,
  },
  500: { description: "An error of the server; its log has the cause", applies: always },
  503: { description: "Not available at the moment", applies: always },
  504: { description: "The server did not complete the request in time", applies: always },
};

const content = {
  "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
};

/** Statuses whose answers say when to send the request again. */
const retryable: Readonly<Record<number, true>> = { 429: true, 503: true };

const retryAfter = {
  "Retry-After": {
    description: "Seconds to wait before the same request is sent again",
    schema: { type: "integer", minimum: 1 },
  },
};

/** The parts of the document that `problemResponses` refers to. */
export const problemComponents = {
  schemas: { Problem: problemSchema },
  responses: Object.fromEntries(
    Object.entries(kinds).map(([status, { description }]) => [
      `Problem${status}`,
      { description, ...(status in retryable && { headers: retryAfter }), content },
    ]),
  ),
};

/** Every problem that the operation may answer with, by status. `own` are the codes of the method itself. */
export function problemResponses(
  route: RestRoute,
  own: Readonly<Record<number, readonly string[]>> = {},
): Record<string, object> {
  const general = Object.entries(kinds)
    .filter(([status, { applies }]) => applies(route) && !(status in own))
    .map(([status]) => [status, { $ref: `#/components/responses/Problem${status}` }]);
  const special = Object.entries(own).map(([status, codes]) => [
    status,
    { description: codes.map((code) => `\`${code}\``).join(", "), content },
  ]);
  return Object.fromEntries([...general, ...special]);
}
