import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import type { ItemError } from "@smartcart/gen/type/v1/problem_pb";
import { ItemErrorSchema } from "@smartcart/gen/type/v1/problem_pb";
import { mapError, markReceived } from "../errors/error-mapping.ts";

const anyPrefix = "type.googleapis.com/";

/**
 * One item's failure as a `Batch…` method answers it: just what the unary method would have failed with.
 * The text of an unexpected error is left out of it; log that error where it is caught.
 */
export function toItemError(thrown: unknown): ItemError {
  const { error } = mapError(thrown);
  return create(ItemErrorSchema, {
    code: error.code,
    message: error.rawMessage,
    details: error.details.map((detail) =>
      "desc" in detail
        ? anyPack(detail.desc, create(detail.desc, detail.value))
        : { typeUrl: anyPrefix + detail.type, value: detail.value },
    ),
  });
}

/** The error with which the unary call of that item ends; its details are read with `detailOf` and `problemOf`. */
export function fromItemError(item: ItemError): ConnectError {
  const error = new ConnectError(item.message, item.code);
  error.details = item.details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return markReceived(error);
}
