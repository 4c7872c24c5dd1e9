import type { DescMethod } from "@bufbuild/protobuf";
import { policyOf } from "@smartcart/contract";
import type { Semaphore } from "@smartcart/runtime";
import { createSemaphore } from "@smartcart/runtime";
import { methodFullError } from "./admission-errors.ts";

/**
 * Waits for a call's turn where its method works on so many at once; answers the way out.
 * @throws DomainError RESOURCE_EXHAUSTED where too many wait; the signal's reason where the call ends before its turn.
 */
export type TakeTurn = (
  method: DescMethod,
  call: { readonly signal: AbortSignal },
) => Promise<() => void>;

/** A semaphore for each method that has a bound. */
export function createMethodSemaphores(): TakeTurn {
  const semaphores = new Map<DescMethod, Semaphore>();
  return async (method, call) => {
    let semaphore = semaphores.get(method);
    if (semaphore === undefined) {
      const { maxConcurrency, wait } = policyOf(method);
      semaphore = createSemaphore({
        maxConcurrent: maxConcurrency,
        maxWaiting: wait?.maxCalls ?? 0,
        maxWaitMs: wait?.maxWaitMs ?? 0,
      });
      semaphores.set(method, semaphore);
    }
    const leave = await semaphore.acquire(call);
    if (leave !== undefined) return leave;
    call.signal.throwIfAborted();
    throw methodFullError(method);
  };
}
