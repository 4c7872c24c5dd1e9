import type { DescService } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { CompilationError, createValidator } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { createValidateInterceptor } from "@connectrpc/validate";

/** One for the process: it keeps the compiled rules of each message type. */
const validator = createValidator();

/** Refuses requests that break the rules of their message: INVALID_ARGUMENT with `buf.validate.Violations`. */
export const validation: Interceptor = createValidateInterceptor({ validator });

/**
 * Compiles the rules of every request now, so that the first caller does not wait for it.
 * @throws CompilationError where the contract has a rule that makes no sense.
 */
export function compileRules(services: readonly DescService[]): void {
  for (const method of services.flatMap((service) => service.methods)) {
    const result = validator.validate(method.input, create(method.input));
    if (result.error instanceof CompilationError) {
      throw result.error;
    }
  }
}
