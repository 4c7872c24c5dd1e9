import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Holders } from "@smartcart/runtime";
import { createHolders } from "@smartcart/runtime";
import { DomainError } from "../errors/errors.ts";

/** Streams of one method that one address may have open. */
const maxStreamsOfAddress = 128;

/** Counts the open streams of each method by the address of their clients. */
export interface StreamLimit {
  /**
   * Returns the function that leaves. Calls without an address, which are those of services, are not counted.
   * @throws DomainError RESOURCE_EXHAUSTED where the address has as many as it may.
   */
  enter(method: DescMethod, address: string | undefined): () => void;
}

/** A limit that counts nothing yet. */
export function createStreamLimit(): StreamLimit {
  const open = new Map<DescMethod, Holders>();
  return {
    enter(method, address) {
      if (address === undefined) return () => {};
      let ofMethod = open.get(method);
      if (ofMethod === undefined) {
        ofMethod = createHolders();
        open.set(method, ofMethod);
      }
      if (ofMethod.of(address) >= maxStreamsOfAddress) throw addressFullError(method);
      return ofMethod.add(address);
    },
  };
}

function addressFullError(method: DescMethod): DomainError {
  return new DomainError({
    code: "TOO_MANY_STREAMS",
    rpcCode: Code.ResourceExhausted,
    title: "Too many at once",
    message: `This address has ${maxStreamsOfAddress} streams of ${method.name} open, which is the maximum. Close one before opening another.`,
    retryAfterMs: 1000,
  });
}
