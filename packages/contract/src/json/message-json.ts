import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { validateMessage } from "../validation/validate.ts";
import { InvalidMessageError } from "./json-errors.ts";
import { parseExactJson } from "./json-text.ts";
import { readJson } from "./strict-json.ts";

/**
 * Reads a message from proto3 JSON from outside, other than by REST and RPC, as strictly as those: no unknown or repeated member, no
 * rounded number, no broken rule.
 * @throws MalformedJsonError where the text is not JSON.
 * @throws InvalidMessageError with a violation for each field that is wrong.
 */
export function readMessageJson<D extends DescMessage>(schema: D, text: string): MessageShape<D> {
  const message = readJson(schema, parseExactJson(schema, text).json);
  const violations = validateMessage(schema, message);
  if (violations.length > 0) {
    throw new InvalidMessageError(violations);
  }
  return message as MessageShape<D>;
}
