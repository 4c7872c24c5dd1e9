import type { DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Violation } from "@bufbuild/protovalidate";
import { CompilationError, createValidator, violationToProto } from "@bufbuild/protovalidate";
import { toJsonPath } from "../fields/field-path.ts";
import { predefinedRules } from "../fields/string-rules.ts";
import type { FieldViolation } from "./field-violation.ts";
import { measureOf } from "./message-size.ts";
import { quickCheckOf } from "./quick-check.ts";

/** Both know the rules of each message type once they have met it. */
const validator = createValidator({ registry: predefinedRules });
/** For messages in which it would cost too much to find everything. */
const failFastValidator = createValidator({ registry: predefinedRules, failFast: true });

/** Items, entries and hundreds of characters up to which every violation is found. */
const maxWeight = 1000;

/**
 * The rules that a message breaks, one violation for each field that is wrong; empty: the message is valid.
 * An ordinary message passes the quick check and costs no more. For all others sizes are checked first: the items of a list that is too
 * long are not checked, so that rejecting a large message costs little.
 */
export function validateMessage(schema: DescMessage, message: Message): readonly FieldViolation[] {
  if (quickCheckOf(schema)?.(message)) {
    return [];
  }
  const { weight, violations } = measureOf(schema)(message);
  if (weight > maxWeight && violations.length > 0) {
    return violations;
  }
  const result = (weight > maxWeight ? failFastValidator : validator).validate(schema, message);
  if (result.kind === "error") {
    // A fault of the contract, not of the caller.
    throw result.error;
  }
  const found = (result.violations ?? []).map(toFieldViolation);
  const told = new Set(found.map(({ field }) => field));
  return [...found, ...violations.filter(({ field }) => !told.has(field))];
}

function toFieldViolation(violation: Violation): FieldViolation {
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
    quickCheckOf(input);
    measureOf(input);
    for (const each of [validator, failFastValidator]) {
      const result = each.validate(input, create(input));
      if (result.error instanceof CompilationError) {
        throw result.error;
      }
    }
  }
}
