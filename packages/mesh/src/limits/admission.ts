import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { policyOf } from "@smartcart/contract";
import { principalKey } from "../auth/authentication.ts";
import { addressKey } from "../context/call-scope.ts";
import { UnaryCall } from "../context/unary-call.ts";
import { observeStream } from "../streams/stream-observer.ts";
import { overloadedError, stoppedError } from "./admission-errors.ts";
import { createMethodSemaphores } from "./method-semaphores.ts";
import { createStreamLimit } from "./stream-limit.ts";

/** Limits of one server. */
export interface AdmissionOptions {
  /** Methods whose unary calls are never refused: health and reflection. Their streams are bounded like all others. */
  readonly exempt: ReadonlySet<DescMethod>;
  /** Unary calls of all methods together. */
  readonly maxInFlight: number;
  /** True when the server has stopped and takes no more calls. */
  readonly stopped: () => boolean;
}

/** How many calls are worked on at once, and how many wait. */
export interface Admission {
  readonly interceptor: Interceptor;
  /** Unary calls under way, those that wait included. */
  inFlight(): number;
}

/** Decides before a call is worked on whether it is worked on at all. */
export function createAdmission(o: AdmissionOptions): Admission {
  const takeTurn = createMethodSemaphores();
  const enterStream = createStreamAdmission(takeTurn);
  let inFlight = 0;

  async function serveUnary<T>(req: UnaryRequest, next: (req: UnaryRequest) => Promise<T>) {
    if (o.stopped()) throw stoppedError();
    if (inFlight >= o.maxInFlight) throw overloadedError();
    inFlight += 1;
    let leave: (() => void) | undefined;
    try {
      if (policyOf(req.method).maxConcurrency > 0) leave = await takeTurn(req.method, req);
      // Where the caller is gone by now, no work is begun.
      throwIfOver(req);
      return await next(req);
    } finally {
      inFlight -= 1;
      leave?.();
    }
  }

  const interceptor: Interceptor = (next) => async (req) => {
    if (!req.stream) return o.exempt.has(req.method) ? next(req) : serveUnary(req, next);
    if (o.stopped()) throw stoppedError();
    const leave = await enterStream(req);
    try {
      throwIfOver(req);
      const res = await next(req);
      if (res.stream) return { ...res, message: observeStream(res.message, { onEnd: leave }) };
      leave();
      return res;
    } catch (error) {
      leave();
      throw error;
    }
  };
  return { interceptor, inFlight: () => inFlight };
}

/** Returns the function that leaves. It is also called when the call has ended, whether or not the stream is read. */
function createStreamAdmission(
  takeTurn: ReturnType<typeof createMethodSemaphores>,
): (req: StreamRequest) => Promise<() => void> {
  const streams = createStreamLimit();
  return async (req) => {
    const { method, signal, contextValues } = req;
    // Services are not counted by address.
    const isService = contextValues.get(principalKey).kind === "service";
    const address = isService ? undefined : contextValues.get(addressKey);
    const leaveAddress = streams.enter(method, address);
    try {
      const leaveMethod = await takeTurn(method, req);
      return onceOrAborted(signal, () => {
        leaveAddress();
        leaveMethod();
      });
    } catch (error) {
      leaveAddress();
      throw error;
    }
  };
}

/** A unary call is asked whether it has ended: to ask for its signal would make one. */
function throwIfOver(req: UnaryRequest | StreamRequest): void {
  if (req instanceof UnaryCall) req.throwIfEnded();
  else req.signal.throwIfAborted();
}

/** Runs `leave` once: when it is called, or when the call has ended, which aborts its signal. */
function onceOrAborted(signal: AbortSignal, leave: () => void): () => void {
  let left = false;
  const leaveOnce = () => {
    if (left) return;
    left = true;
    signal.removeEventListener("abort", leaveOnce);
    leave();
  };
  if (signal.aborted) leaveOnce();
  else signal.addEventListener("abort", leaveOnce, { once: true });
  return leaveOnce;
}
