import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { parseExactJson } from "./json-text.ts";
import { readJson } from "./strict-json.ts";
import { assertValid } from "./validation.ts";

/**
 * Reads a message from proto3 JSON that comes from outside by another way than REST and RPC, as strictly as there: no
 * unknown or repeated member, no rounded number, no broken rule.
 * @throws DomainError MALFORMED_JSON where the text is not JSON.
 * @throws ValidationError with a violation for each field that is wrong.
 */
export function readMessageJson<D extends DescMessage>(schema: D, text: string): MessageShape<D> {
  const message = readJson(schema, parseExactJson(schema, text).json);
  assertValid(schema, message);
  return message as MessageShape<D>;
}
