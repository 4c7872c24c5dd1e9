import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import {
  ViolationSchema,
  ViolationsSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import type { FieldViolation } from "@smartcart/contract";
import { InvalidMessageError, MalformedJsonError, parseJsonPath } from "@smartcart/contract";
import { RetryInfoSchema } from "@smartcart/gen/google/rpc/error_details_pb";
import type { Problem } from "@smartcart/gen/type/v1/problem_pb";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";

/** A message that travels with an error; on REST its JSON fields stand in the problem itself. */
export interface ErrorDetail<D extends DescMessage = DescMessage> {
  readonly desc: D;
  readonly value: MessageInitShape<D>;
}

/** Messages that travel as details of any error: a client needs them to print it, and no service imports them all. */
export const commonDetails: readonly DescMessage[] = [
  ProblemSchema,
  RetryInfoSchema,
  ViolationsSchema,
];

/** What an error of the domain says of itself. */
export interface DomainErrorInit {
  /** Stable and machine-readable: "OUT_OF_STOCK". Clients branch on it. */
  readonly code: string;
  /** Status code on RPC. */
  readonly rpcCode: Code;
  /** Short summary, the same for every occurrence of `code`. */
  readonly title: string;
  /** What happened this time and how to go on; it is sent to the caller. */
  readonly message: string;
  /** Status on REST; default: the one that `rpcCode` maps to. */
  readonly httpStatus?: number;
  /** When to try again, in milliseconds; default 0: trying again changes nothing. */
  readonly retryAfterMs?: number;
  /** Sent along, after `smartcart.type.v1.Problem`. */
  readonly details?: readonly ErrorDetail[];
  /** For the log only; never sent. */
  readonly cause?: unknown;
}

/** An error that is meant for the caller. Everything else that is thrown reaches the caller as "internal error". */
export class DomainError extends Error {
  readonly code: string;
  readonly rpcCode: Code;
  readonly title: string;
  readonly httpStatus: number;
  readonly retryAfterMs: number;
  readonly details: readonly ErrorDetail[];

  constructor(init: DomainErrorInit) {
    super(init.message, { cause: init.cause });
    this.name = "DomainError";
    this.code = init.code;
    this.rpcCode = init.rpcCode;
    this.title = init.title;
    this.httpStatus = init.httpStatus ?? 0;
    this.retryAfterMs = init.retryAfterMs ?? 0;
    this.details = init.details ?? [];
  }

  /** The error as `smartcart.type.v1.Problem`, the first detail on the wire. */
  toProblem(): Problem {
    const { code, title, httpStatus, retryAfterMs } = this;
    return create(ProblemSchema, { code, title, httpStatus, retryAfterMs });
  }
}

/** Most violations in one error: an answer must not be much longer than its request. */
const maxViolations = 20;

/**
 * INVALID_ARGUMENT with a violation a field, as protovalidate sends it: `buf.validate.Violations`. Of many violations the
 * first 20 go along; the message says how many are left out.
 */
export class ValidationError extends DomainError {
  /** Those that are sent. */
  readonly violations: readonly FieldViolation[];

  constructor(all: readonly FieldViolation[], options?: ErrorOptions) {
    const violations = all.slice(0, maxViolations);
    super({
      code: "INVALID_ARGUMENT",
      rpcCode: Code.InvalidArgument,
      title: "The request is not valid",
      message: describeViolations(all),
      details: [violationsDetail(violations)],
      cause: options?.cause,
    });
    this.name = "ValidationError";
    this.violations = violations;
  }
}

/** What the reading of a message threw, as an error for its sender; anything else as it is. */
export function toDomainError(thrown: unknown): unknown {
  if (thrown instanceof InvalidMessageError) {
    return new ValidationError(thrown.violations, { cause: thrown });
  }
  if (thrown instanceof MalformedJsonError) {
    return new DomainError({
      code: "MALFORMED_JSON",
      rpcCode: Code.InvalidArgument,
      title: "The body is not JSON",
      message: `The body cannot be read as JSON in UTF-8: ${thrown.message}. Correct it and send it again.`,
      cause: thrown,
    });
  }
  return thrown;
}

/** Names the first field, counts the others and says what to do. */
function describeViolations(violations: readonly FieldViolation[]): string {
  const [first] = violations;
  if (first === undefined) {
    return "The request is not valid.";
  }
  const leftOut = violations.length - maxViolations;
  const cut = leftOut > 0 ? `; ${leftOut} of them are left out here` : "";
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more${cut})` : "";
  const where = first.field === "" ? "" : `${first.field}: `;
  return `${where}${first.message}${more}. Correct the request and send it again.`;
}

function violationsDetail(violations: readonly FieldViolation[]): ErrorDetail {
  const value = create(ViolationsSchema, {
    violations: violations.map(
      ({ field, message, ruleId, found }) =>
        found ??
        create(ViolationSchema, {
          message,
          ruleId: ruleId ?? "invalid",
          ...(field === "" ? {} : { field: parseJsonPath(field) }),
        }),
    ),
  });
  return { desc: ViolationsSchema, value };
}

/** The detail of that type which an error carries, whether it was received or is about to be sent. */
export function detailOf<D extends DescMessage>(
  e: unknown,
  schema: D,
): MessageShape<D> | undefined {
  if (e instanceof DomainError) {
    const found = e.details.find((detail) => detail.desc.typeName === schema.typeName);
    return found && create(schema, found.value as MessageInitShape<D>);
  }
  return e instanceof ConnectError ? e.findDetails(schema)[0] : undefined;
}

/** The problem that an error carries, or undefined where it has none. */
export function problemOf(e: unknown): Problem | undefined {
  return e instanceof DomainError ? e.toProblem() : detailOf(e, ProblemSchema);
}
