import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { DomainError } from "../errors/errors.ts";

/** Streams of one method that one address may have open. */
const maxStreamsOfAddress = 128;

/** Counts the open streams of each method by the address of their clients. */
export interface StreamLimit {
  /**
   * Answers the way out. Without an address, which is how a part of the mesh comes, nothing is counted.
   * @throws DomainError RESOURCE_EXHAUSTED where the address has as many as it may.
   */
  enter(method: DescMethod, address: string | undefined): () => void;
}

/** A limit that counts nothing yet. */
export function createStreamLimit(): StreamLimit {
  const open = new Map<DescMethod, Map<string, number>>();
  return {
    enter(method, address) {
      if (address === undefined) return () => {};
      let ofMethod = open.get(method);
      if (ofMethod === undefined) {
        ofMethod = new Map();
        open.set(method, ofMethod);
      }
      return take(ofMethod, method, address);
    },
  };
}

function take(open: Map<string, number>, method: DescMethod, address: string): () => void {
  const count = open.get(address) ?? 0;
  if (count >= maxStreamsOfAddress) throw addressFullError(method);
  open.set(address, count + 1);
  return () => {
    const left = (open.get(address) ?? 1) - 1;
    if (left === 0) open.delete(address);
    else open.set(address, left);
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
