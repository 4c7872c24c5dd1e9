import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { callerHeader, createCallerCheck } from "./caller-token.ts";
import { DomainError } from "./errors.ts";
import { policyOf } from "./policy.ts";
import { watchStream } from "./watched-stream.ts";

/** Limits of one server. */
export interface AdmissionOptions {
  /** Methods that are never refused: health and reflection. */
  readonly exempt: ReadonlySet<DescMethod>;
  /** Unary calls of all methods together. */
  readonly maxInFlight: number;
  /** Undefined: every caller is trusted. */
  readonly meshSecret: string | undefined;
  /** True when the server has stopped and takes no more calls. */
  readonly stopped: () => boolean;
}

/** Who may come in, and how many at once. */
export interface Admission {
  readonly interceptor: Interceptor;
  /** Unary calls under way. */
  inFlight(): number;
}

/** Decides before a call is worked on whether it is worked on at all. */
export function createAdmission(o: AdmissionOptions): Admission {
  const callerOf = o.meshSecret === undefined ? undefined : createCallerCheck(o.meshSecret);
  const perMethod = new Map<DescMethod, number>();
  let inFlight = 0;

  function enter(method: DescMethod, token: string | null): () => void {
    if (o.stopped()) {
      throw stoppedError();
    }
    const policy = policyOf(method);
    if (callerOf !== undefined && policy.callers.length > 0) {
      checkCaller(policy.callers, token === null ? undefined : callerOf(token));
    }
    const unary = method.methodKind === "unary";
    if (unary && inFlight >= o.maxInFlight) {
      throw overloadedError();
    }
    const ofMethod = perMethod.get(method) ?? 0;
    if (policy.maxConcurrency > 0 && ofMethod >= policy.maxConcurrency) {
      throw methodFullError(policy.maxConcurrency);
    }
    perMethod.set(method, ofMethod + 1);
    inFlight += unary ? 1 : 0;
    return () => {
      perMethod.set(method, (perMethod.get(method) ?? 1) - 1);
      inFlight -= unary ? 1 : 0;
    };
  }

  const interceptor: Interceptor = (next) => async (req) => {
    if (o.exempt.has(req.method)) {
      return next(req);
    }
    const leave = enter(req.method, req.header.get(callerHeader));
    try {
      const res = await next(req);
      if (res.stream) {
        return { ...res, message: watchStream(res.message, { onEnd: leave }) };
      }
      leave();
      return res;
    } catch (error) {
      leave();
      throw error;
    }
  };
  return { interceptor, inFlight: () => inFlight };
}

function checkCaller(allowed: readonly string[], caller: string | undefined): void {
  if (caller === undefined) {
    throw new DomainError({
      code: "CALLER_UNKNOWN",
      rpcCode: Code.Unauthenticated,
      title: "The caller is not known",
      message:
        "This method is for parts of the mesh only. Call it with the mesh's own client and secret.",
    });
  }
  if (!allowed.includes(caller)) {
    throw new DomainError({
      code: "CALLER_NOT_ALLOWED",
      rpcCode: Code.PermissionDenied,
      title: "The caller is not allowed",
      message: `"${caller}" may not call this method; its contract allows ${allowed.join(", ")}.`,
    });
  }
}

function stoppedError(): DomainError {
  return new DomainError({
    code: "SHUTTING_DOWN",
    rpcCode: Code.Unavailable,
    title: "The server is shutting down",
    message: "The server is shutting down. Connect again and repeat the call.",
    retryAfterMs: 1000,
  });
}

function overloadedError(): DomainError {
  return new DomainError({
    code: "OVERLOADED",
    rpcCode: Code.Unavailable,
    title: "The server is overloaded",
    message: "The server has too many calls under way. Try again after the time stated.",
    retryAfterMs: 1000,
  });
}

function methodFullError(maxConcurrency: number): DomainError {
  return new DomainError({
    code: "TOO_MANY_CALLS",
    rpcCode: Code.ResourceExhausted,
    title: "Too many calls of this method",
    message: `This method works on ${maxConcurrency} calls at once, and that many are under way. Try again.`,
    retryAfterMs: 1000,
  });
}
