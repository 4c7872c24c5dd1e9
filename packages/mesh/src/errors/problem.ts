import { create, toJson } from "@bufbuild/protobuf";
import type { Violations } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { ConnectError } from "@connectrpc/connect";
import { toJsonPath } from "@smartcart/contract";
import { RetryInfoSchema } from "@smartcart/gen/google/rpc/error_details_pb";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";
import { genericProblem, mapError, retryAfterSeconds } from "./error-mapping.ts";
import { ValidationError } from "./errors.ts";
import { codeHttpStatus } from "./status-codes.ts";

/** A problem as REST answers it: application/problem+json (RFC 9457). */
export interface HttpProblem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a problem that arises before any RPC says of itself. */
export interface HttpProblemInit {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  /** What happened this time and how to go on. */
  readonly detail: string;
  readonly retryAfterMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown where a request cannot become a call. */
export class HttpProblemError extends Error {
  readonly problem: HttpProblem;

  constructor(init: HttpProblemInit, options?: ErrorOptions) {
    super(init.detail, options);
    this.name = "HttpProblemError";
    this.problem = httpProblem(init);
  }
}

/** The problem of a code of our own. */
export function httpProblem(
  init: HttpProblemInit,
  members: Readonly<Record<string, unknown>> = {},
): HttpProblem {
  const { status, code, title, detail } = init;
  // RFC 9110, 15.5.2: a 401 says by what a caller may prove who they are.
  const challenge = status === 401 ? { "www-authenticate": "Bearer" } : {};
  const type = `urn:smartcart:problem:${code.toLowerCase().replaceAll("_", "-")}`;
  const { retryAfterMs } = init;
  const retryAfter = retryAfterMs ? { "retry-after": retryAfterSeconds(retryAfterMs) } : {};
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...retryAfter,
      ...challenge,
      ...init.headers,
    },
    body: { ...members, type, title, status, detail, code },
  };
}

/**
 * The problem of anything thrown by a call: `smartcart.type.v1.Problem` for code, title and status, violations as a list
 * with JSON paths, and the fields of every other detail beside them.
 */
export function problemOfError(thrown: unknown): HttpProblem {
  if (thrown instanceof HttpProblemError) {
    return thrown.problem;
  }
  // What the interceptors threw is mapped already.
  const isMapped = thrown instanceof ConnectError && thrown.findDetails(ProblemSchema).length > 0;
  const error = isMapped ? thrown : mapError(thrown).error;
  const problem = error.findDetails(ProblemSchema)[0] ?? genericProblem(error.code, 0);
  return httpProblem(
    {
      status: problem.httpStatus || codeHttpStatus(error.code),
      code: problem.code,
      title: problem.title,
      detail: error.rawMessage,
      retryAfterMs: problem.retryAfterMs,
      headers: headersOf(error),
    },
    membersOf(error),
  );
}

/** Details that are no members: the problem itself, and what `Retry-After` says. */
const saidElsewhere: ReadonlySet<string> = new Set([
  ProblemSchema.typeName,
  RetryInfoSchema.typeName,
]);

function membersOf(error: ConnectError): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const detail of error.details) {
    // Details from the wire have no descriptor; ours are still in the form in which they were given.
    if (!("desc" in detail) || saidElsewhere.has(detail.desc.typeName)) continue;
    if (detail.desc.typeName === ViolationsSchema.typeName) {
      members.violations = violationsOf(error, create(ViolationsSchema, detail.value));
    } else {
      Object.assign(members, toJson(detail.desc, create(detail.desc, detail.value)));
    }
  }
  return members;
}

/** With the fields as they are in the JSON that was sent, where that is still known. */
function violationsOf(error: ConnectError, { violations }: Violations) {
  const known = error.cause instanceof ValidationError ? error.cause.violations : undefined;
  return (
    known?.map(({ field, message }) => ({ field, message })) ??
    violations.map(({ field, message }) => ({ field: toJsonPath(field?.elements), message }))
  );
}

/** Headers that an implementation attached to its error. */
function headersOf(error: ConnectError): Record<string, string> {
  return Object.fromEntries(error.metadata.entries());
}
