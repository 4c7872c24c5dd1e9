import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { validateMessage } from "@smartcart/contract";
import { ValidationError } from "../errors/errors.ts";

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

/** @throws ValidationError with a violation for each field that is wrong. */
export function assertValid(schema: DescMessage, message: Message): void {
  const violations = validateMessage(schema, message);
  if (violations.length > 0) {
    throw new ValidationError(violations);
  }
}
