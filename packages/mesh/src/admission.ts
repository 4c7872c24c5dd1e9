import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { callerHeader, createCallerCheck } from "./caller-token.ts";
import { DomainError } from "./errors.ts";
import { policyOf } from "./policy.ts";
import type { Turns, TurnsOptions } from "./turns.ts";
import { createTurns } from "./turns.ts";
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

/** Who may come in, how many at once, and who waits. */
export interface Admission {
  readonly interceptor: Interceptor;
  /** Unary calls under way, those that wait included. */
  inFlight(): number;
}

/** Decides before a call is worked on whether it is worked on at all. */
export function createAdmission(o: AdmissionOptions): Admission {
  const callerOf = o.meshSecret === undefined ? undefined : createCallerCheck(o.meshSecret);
  const lines = new Map<DescMethod, Turns>();
  let inFlight = 0;

  function check(method: DescMethod, token: string | null): void {
    if (o.stopped()) {
      throw stoppedError();
    }
    const { callers } = policyOf(method);
    if (callerOf !== undefined && callers.length > 0) {
      checkCaller(callers, token === null ? undefined : callerOf(token));
    }
    if (method.methodKind === "unary" && inFlight >= o.maxInFlight) {
      throw overloadedError();
    }
  }

  /** Waits for the call's turn where its method has a bound. */
  async function takeTurn(method: DescMethod, signal: AbortSignal): Promise<() => void> {
    let line = lines.get(method);
    if (line === undefined) {
      line = createTurns(lineOf(method));
      lines.set(method, line);
    }
    const leave = await line.enter(signal);
    if (leave !== undefined) return leave;
    signal.throwIfAborted();
    throw methodFullError(method);
  }

  /** Answers the way out. */
  async function enter({ method, header, signal }: UnaryRequest | StreamRequest) {
    check(method, header.get(callerHeader));
    const isUnary = method.methodKind === "unary";
    inFlight += isUnary ? 1 : 0;
    const leave = () => {
      inFlight -= isUnary ? 1 : 0;
    };
    if (policyOf(method).maxConcurrency === 0) return leave;
    try {
      const leaveLine = await takeTurn(method, signal);
      return () => {
        leave();
        leaveLine();
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  const interceptor: Interceptor = (next) => async (req) => {
    if (o.exempt.has(req.method)) {
      return next(req);
    }
    const leave = await enter(req);
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

function lineOf(method: DescMethod): TurnsOptions {
  const { maxConcurrency, wait } = policyOf(method);
  return {
    atOnce: maxConcurrency,
    waiting: wait?.maxCalls ?? 0,
    waitMs: wait?.maxWaitMs ?? 0,
  };
}

function methodFullError(method: DescMethod): DomainError {
  return new DomainError({
    code: "TOO_MANY_CALLS",
    rpcCode: Code.ResourceExhausted,
    title: "Too many at once",
    message: `${method.name} works on ${policyOf(method).maxConcurrency} calls at once, and too many wait already. Nothing has begun: send the same request again after the time stated.`,
    retryAfterMs: 1000,
  });
}
