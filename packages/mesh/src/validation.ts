import type { DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Violation } from "@bufbuild/protovalidate";
import { CompilationError, createValidator, violationToProto } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import type { FieldViolation } from "@smartcart/contract";
import { measureOf, quickCheckOf, toJsonPath } from "@smartcart/contract";
import { ValidationError } from "./errors.ts";

/** Both know the rules of each message type once they have met it. */
const validator = createValidator();
/** For messages in which it would cost too much to find everything. */
const hastyValidator = createValidator({ failFast: true });

/** Items, entries and hundreds of characters up to which every violation is found. */
const maxWeight = 1000;

/** Refuses requests that break the rules of their message: INVALID_ARGUMENT with `buf.validate.Violations`. */
export const validation: Interceptor = (next) => (req) => {
  if (!req.stream) {
    assertValid(req.method.input, req.message);
    return next(req);
  }
  return next({ ...req, message: validated(req.method.input, req.message) });
};

async function* validated<M extends Message>(schema: DescMessage, messages: AsyncIterable<M>) {
  for await (const message of messages) {
    assertValid(schema, message);
    yield message;
  }
}

/**
 * An ordinary message passes by a check that is made of the same rules once. Of all others sizes come before everything else: in a list that is too long no item is looked at, so that a refusal costs little
 * whatever was sent.
 * @throws ValidationError with a violation for each field that is wrong.
 */
export function assertValid(schema: DescMessage, message: Message): void {
  if (quickCheckOf(schema)?.(message)) {
    return;
  }
  const { weight, violations } = measureOf(schema)(message);
  if (weight > maxWeight && violations.length > 0) {
    throw new ValidationError(violations);
  }
  const chosen = weight > maxWeight ? hastyValidator : validator;
  const result = chosen.validate(schema, message);
  if (result.kind === "error") {
    // A fault of the contract, not of the caller.
    throw result.error;
  }
  const found = (result.violations ?? []).map(violationOf);
  const told = new Set(found.map(({ field }) => field));
  const all = [...found, ...violations.filter(({ field }) => !told.has(field))];
  if (all.length > 0) {
    throw new ValidationError(all);
  }
}

function violationOf(violation: Violation): FieldViolation {
  const found = violationToProto(violation)[0];
  const { message, ruleId } = found;
  const isOneof = violation.field.at(-1)?.kind === "oneof";
  // A oneof has no name in JSON: what lacks one of its members is the message.
  const elements = found.field?.elements.slice(0, isOneof ? -1 : undefined);
  return { field: toJsonPath(elements), message, ruleId, found };
}

/**
 * Compiles the rules of every request now, so that the first caller does not wait for it.
 * @throws CompilationError where the contract has a rule that makes no sense.
 */
export function compileRules(services: readonly DescService[]): void {
  for (const { input } of services.flatMap((service) => service.methods)) {
    measureOf(input);
    for (const each of [validator, hastyValidator]) {
      const result = each.validate(input, create(input));
      if (result.error instanceof CompilationError) {
        throw result.error;
      }
    }
  }
}
