import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { policyOf } from "@smartcart/contract";
import { callerHeader, createCallerCheck } from "../auth/caller-token.ts";
import { addressKey } from "../context/call-scope.ts";
import { observeStream } from "../streams/stream-observer.ts";
import {
  callerNotAllowedError,
  callerUnknownError,
  overloadedError,
  stoppedError,
} from "./admission-errors.ts";
import { createMethodSemaphores } from "./method-semaphores.ts";
import { createStreamLimit } from "./stream-limit.ts";

/** Limits of one server. */
export interface AdmissionOptions {
  /** Methods whose unary calls are never refused: health and reflection. Their streams are bounded like all others. */
  readonly exempt: ReadonlySet<DescMethod>;
  /** Unary calls of all methods together. */
  readonly maxInFlight: number;
  /** Undefined: every caller is trusted. */
  readonly meshSecret: string | undefined;
  /** True when the server has stopped and takes no more calls. */
  readonly stopped: () => boolean;
}

/** Who may come in, how many at once, and who waits. */
export interface Admission {
  readonly interceptor: Interceptor;
  /** Unary calls under way, those that wait included. */
  inFlight(): number;
}

/** Decides before a call is worked on whether it is worked on at all. */
export function createAdmission(o: AdmissionOptions): Admission {
  const checkCaller = createCallerAdmission(o);
  const takeTurn = createMethodSemaphores();
  const enterStream = createStreamAdmission(checkCaller, takeTurn);
  let inFlight = 0;

  async function serveUnary<T>(req: UnaryRequest, next: (req: UnaryRequest) => Promise<T>) {
    checkCaller(req);
    if (inFlight >= o.maxInFlight) throw overloadedError();
    inFlight += 1;
    let leave: (() => void) | undefined;
    try {
      if (policyOf(req.method).maxConcurrency > 0) leave = await takeTurn(req.method, req);
      return await next(req);
    } finally {
      inFlight -= 1;
      leave?.();
    }
  }

  const interceptor: Interceptor = (next) => async (req) => {
    if (!req.stream) return o.exempt.has(req.method) ? next(req) : serveUnary(req, next);
    const leave = await enterStream(req);
    try {
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

/** Refuses whom the contract does not allow; answers the calling part, where it has proved that it is one. */
function createCallerAdmission(o: AdmissionOptions) {
  const callerOf = o.meshSecret === undefined ? undefined : createCallerCheck(o.meshSecret);
  return ({ method, header, stream }: UnaryRequest | StreamRequest): string | undefined => {
    if (o.stopped()) throw stoppedError();
    const { callers } = policyOf(method);
    // Who opens a stream is asked in any case: those of a part are not counted by address.
    if (callerOf === undefined || (callers.length === 0 && !stream)) return undefined;
    const token = header.get(callerHeader);
    const caller = token === null ? undefined : callerOf(token);
    if (callers.length === 0) return caller;
    if (caller === undefined) throw callerUnknownError();
    if (!callers.includes(caller)) throw callerNotAllowedError(caller, callers);
    return caller;
  };
}

/** Answers the way out, which is taken by itself when the call has ended, whether or not anybody reads the stream. */
function createStreamAdmission(
  checkCaller: ReturnType<typeof createCallerAdmission>,
  takeTurn: ReturnType<typeof createMethodSemaphores>,
): (req: StreamRequest) => Promise<() => void> {
  const streams = createStreamLimit();
  return async (req) => {
    const { method, signal, contextValues } = req;
    const caller = checkCaller(req);
    const address = caller === undefined ? contextValues.get(addressKey) : undefined;
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
