import { AsyncLocalStorage } from "node:async_hooks";
import { createContextKey } from "@connectrpc/connect";

/** The call that the running code serves. */
export interface CallScope {
  /** Aborted at the deadline, when the caller hung up, and when the call has ended. */
  readonly signal: AbortSignal;
  /** Unix time in milliseconds at which the call must have ended; undefined: no bound. */
  readonly deadlineAtMs: number | undefined;
}

const storage = new AsyncLocalStorage<CallScope | undefined>();

/** The call that the running code serves, or undefined outside of any call. */
export function currentCall(): CallScope | undefined {
  return storage.getStore();
}

/** Runs `fn` as part of the call. */
export function runInCall<T>(scope: CallScope, fn: () => T): T {
  return storage.run(scope, fn);
}

/**
 * Runs `fn` outside of the call it is started from: clients that it uses inherit neither deadline nor signal.
 * For work that has to go on when the caller hangs up. The trace goes on, too.
 */
export function detached<T>(fn: () => T): T {
  return storage.run(undefined, fn);
}

/** Context value with the deadline of a served call, Unix time in milliseconds; undefined: no bound. */
export const deadlineKey = createContextKey<number | undefined>(undefined, {
  description: "deadline of the call",
});

/** Context value that says that a call came in by its REST route, which has an access log of its own. */
export const viaRestKey = createContextKey(false, { description: "called by its REST route" });

/** Context value with the address of the client of a call from the network, as it is counted; undefined within the process. */
export const addressKey = createContextKey<string | undefined>(undefined, {
  description: "address of the client",
});

/** Longest time that a timer of Node can wait (2^31 − 1 ms, 24.8 days); one that is longer fires at once. */
export const maxTimerMs = 2_147_483_647;
