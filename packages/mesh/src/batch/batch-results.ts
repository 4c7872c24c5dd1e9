import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { redactError, textRedactor } from "@smartcart/contract";
import type { ItemError } from "@smartcart/gen/type/v1/problem_pb";
import type { Logger } from "@smartcart/runtime";
import type { ErrorMapper } from "../errors/error-mapping.ts";
import { DomainError } from "../errors/errors.ts";
import { toItemError } from "./item-error.ts";

/** One answer of a batch method: what the unary method would have answered, or its error. */
export type ItemResult<T> =
  | { result: { case: "response"; value: T } }
  | { result: { case: "error"; value: ItemError } };

/** What a batch does with the error of an item. */
export interface BatchErrors {
  readonly log: Logger;
  /** As `mapError` of the server, which sees only what fails the whole call. */
  readonly mapError: ErrorMapper;
}

/**
 * Runs a unary method for every request of a batch; the answers stand in the order of the requests. `schema` is the type of a request:
 * what an unforeseen error quotes of it stays out of the log.
 */
export function settleBatch<D extends DescMessage, T>(
  schema: D,
  requests: readonly MessageShape<D>[],
  method: (request: MessageShape<D>) => Promise<T>,
  { log, mapError }: BatchErrors,
): Promise<ItemResult<T>[]> {
  return Promise.all(
    requests.map(async (request): Promise<ItemResult<T>> => {
      try {
        return { result: { case: "response", value: await method(request) } };
      } catch (thrown) {
        const error = mapError(thrown);
        // The text of an unforeseen error is for the log only: the caller gets "internal error".
        if (!(error instanceof DomainError)) {
          const redactText = textRedactor([[schema, request]]);
          log.error("batch.item_failed", { error: redactError(error, redactText) });
        }
        return { result: { case: "error", value: toItemError(error) } };
      }
    }),
  );
}
