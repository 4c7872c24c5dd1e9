import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "@smartcart/gen/google/rpc/error_details_pb";
import type { Problem } from "@smartcart/gen/type/v1/problem_pb";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";
import { DomainError, toDomainError } from "./errors.ts";
import { codeName, codeTitle } from "./status-codes.ts";

/** Errors that a client of this service received: their text is for this service, not for its caller. */
const received = new WeakSet<Error>();

/** Marks an error as received from another service, so that its text is not passed on. Returns it. */
export function markReceived<E extends Error>(error: E): E {
  received.add(error);
  return error;
}

/** Translates an error of an implementation for its caller; returns any other value unchanged. */
export type ErrorMapper = (error: unknown) => unknown;

/** An error as the caller gets it. */
export interface MappedError {
  readonly error: ConnectError;
  /** Whether an operator should look: the fault is this service's or another's, not the caller's. */
  readonly unexpected: boolean;
}

/** Pause that a caller is advised to make when a service is not available. */
const retryAfterMs = 1000;

const tooLate =
  "The call took longer than it may, and its outcome is unknown. Read the state or repeat it.";

/** Codes of our own making that say nothing to the caller and may carry the text of any exception. */
const opaqueCodes: ReadonlySet<Code> = new Set([Code.Unknown, Code.Internal, Code.DataLoss]);

/** Codes of a neighbour that are passed on, with a text of our own. */
const passedOn: ReadonlyMap<Code, string> = new Map([
  [Code.Unavailable, "A required service is unavailable. Retry."],
  [Code.ResourceExhausted, "A required service is overloaded. Retry."],
  [Code.Aborted, "A required service reported a conflict. Retry."],
  [Code.DeadlineExceeded, "A required service did not respond in time. Retry."],
  [Code.Canceled, "The call was canceled."],
]);

/**
 * The one place where anything thrown becomes what a caller sees. Only a `DomainError` and a `ConnectError` of our own
 * with a telling code keep their text; all else is "internal error". Every result carries a `Problem`.
 */
export function mapError(anything: unknown): MappedError {
  const thrown = toDomainError(anything);
  if (thrown instanceof DomainError) {
    return { error: fromDomainError(thrown), unexpected: false };
  }
  if (!(thrown instanceof ConnectError)) {
    return internal(thrown);
  }
  if (received.has(thrown)) {
    return fromReceived(thrown);
  }
  if (opaqueCodes.has(thrown.code)) {
    return internal(thrown);
  }
  return { error: withProblem(thrown), unexpected: false };
}

function fromDomainError(e: DomainError): ConnectError {
  const problem = { desc: ProblemSchema, value: e.toProblem() };
  const { retryAfterMs } = e;
  if (retryAfterMs === 0) {
    return new ConnectError(e.message, e.rpcCode, undefined, [problem, ...e.details], e);
  }
  const retry = { desc: RetryInfoSchema, value: { retryDelay: durationFromMs(retryAfterMs) } };
  const headers = { "retry-after": retryAfterSeconds(retryAfterMs) };
  return new ConnectError(e.message, e.rpcCode, headers, [problem, retry, ...e.details], e);
}

function fromReceived(e: ConnectError): MappedError {
  const message = passedOn.get(e.code);
  if (message === undefined) {
    return internal(e);
  }
  // RESOURCE_EXHAUSTED and ABORTED of a called service are not about this service's caller: both become UNAVAILABLE.
  const code =
    e.code === Code.ResourceExhausted || e.code === Code.Aborted ? Code.Unavailable : e.code;
  const problem = genericProblem(code, code === Code.Canceled ? 0 : retryAfterMs);
  return {
    error: new ConnectError(message, code, undefined, [{ desc: ProblemSchema, value: problem }], e),
    unexpected: code !== Code.Canceled,
  };
}

function internal(cause: unknown): MappedError {
  const value = genericProblem(Code.Internal, 0);
  const details = [{ desc: ProblemSchema, value }];
  return {
    error: new ConnectError("internal error", Code.Internal, undefined, details, cause),
    unexpected: true,
  };
}

function withProblem(e: ConnectError): ConnectError {
  if (e.findDetails(ProblemSchema).length > 0) {
    return e;
  }
  const retry = e.code === Code.Unavailable || e.code === Code.ResourceExhausted ? retryAfterMs : 0;
  const problem = { desc: ProblemSchema, value: genericProblem(e.code, retry) };
  const message = e.code === Code.DeadlineExceeded ? tooLate : e.rawMessage;
  const mapped = new ConnectError(message, e.code, e.metadata, undefined, e.cause);
  mapped.details = [problem, ...e.details];
  return mapped;
}

/** The value of `Retry-After`: a whole second at least, since 0 invites to hammer. */
export function retryAfterSeconds(ms: number): string {
  return `${Math.ceil(ms / 1000)}`;
}

/** The problem of an error that has none of its own: its code is the one of RPC. */
export function genericProblem(code: Code, retryAfterMs: number): Problem {
  return create(ProblemSchema, { code: codeName(code), title: codeTitle(code), retryAfterMs });
}
