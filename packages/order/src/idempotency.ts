/**
 * Idempotency keys, after the IETF draft "The Idempotency-Key HTTP Header Field": the first answer to a key is its answer for ever.
 */
import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { RestHeader } from "@smartcart/contract";
import type { PlaceOrderRequest } from "@smartcart/gen/order/v1/order_service_pb";
import { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import { invalidIdempotencyKey, repeatedIdempotencyKey } from "./errors.ts";

const headerName = "idempotency-key";
/** Response header with the value `true` where the answer is that of an earlier request with the same key. */
export const idempotencyReplayedHeader = "idempotency-replayed";

/** The header as OpenAPI tells it. */
export const idempotencyKeyHeader: RestHeader = {
  name: headerName,
  description: "Unique for each order; the answer to the first request with a key is repeated",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x20-\\x7e]*$" },
};

const printable = /^[\x20-\x7e]{1,255}$/;

/**
 * The key of a request; undefined where it has none. Throws INVALID_IDEMPOTENCY_KEY, and over RPC DUPLICATE_HEADER where there is a
 * comma in it: that is how several values of one header arrive there. REST has told them apart already.
 */
export function idempotencyKeyOf({
  requestHeader,
  protocolName,
}: Pick<HandlerContext, "requestHeader" | "protocolName">): string | undefined {
  const key = requestHeader.get(headerName);
  if (key === null) return undefined;
  if (protocolName !== "local" && key.includes(",")) throw repeatedIdempotencyKey();
  if (!printable.test(key)) throw invalidIdempotencyKey();
  return key;
}

/** SHA-256 over the request's serialized form, so that white space and the order of JSON keys do not matter. */
export function fingerprintOf(request: PlaceOrderRequest): Uint8Array {
  return createHash("sha256").update(toBinary(PlaceOrderRequestSchema, request)).digest();
}
