/** How many requests a client may send, whatever it sends them by. */
import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import type { Customer, Operator } from "@smartcart/identity";
import type { Logger, Registry, TokenBuckets } from "@smartcart/runtime";
import { Counter, createTokenBuckets } from "@smartcart/runtime";
import type { IdentifyService } from "../auth/authentication.ts";
import { principalKey } from "../auth/authentication.ts";
import { callerHeader } from "../auth/caller-token.ts";
import { addressKey } from "../context/call-scope.ts";
import { mapError } from "../errors/error-mapping.ts";
import { DomainError } from "../errors/errors.ts";
import type { Admit } from "../server/unary-request.ts";
import { createSampledLog } from "../telemetry/sampled-log.ts";

/** Limits of one process. Each is a number of requests per second, all of which may come at once; 0: there is none. */
export interface RateLimitOptions {
  /** From one client address (see `networkOf`). */
  readonly perAddress: number;
  /** By one customer or operator, whatever addresses they use. */
  readonly perUser: number;
  readonly log: Logger;
  readonly metrics: Registry;
}

/** An authenticated customer or operator. */
export type User = Pick<Customer | Operator, "kind" | "subject">;

/** Counts requests, and WebSocket frames like requests. Calls of services are not counted: the caller of these methods filters them out. */
export interface RateLimits {
  /** Counts a request from an address, before it is read. @returns the error where it is one too many; undefined: go on. */
  refusalOfAddress(address: string): DomainError | undefined;
  /** Counts a request of a customer or operator, after authentication. */
  refusalOfUser(user: User): DomainError | undefined;
}

/** Counts in memory, so each process has limits of its own. Registers `smartcart_rate_limited_total` with `metrics`: once per registry. */
export function createRateLimits(o: RateLimitOptions): RateLimits {
  const [byAddress, byCustomer, byOperator] = [o.perAddress, o.perUser, o.perUser].map(bucketsFor);
  const refused = new Counter({
    name: "smartcart_rate_limited_total",
    help: "Requests and frames that were refused for being too many, by what they were counted by.",
    labelNames: ["by"],
    registers: [o.metrics],
  });
  const logRefusal = createSampledLog(o.log, "rate.limited");

  function refusal(by: "address" | "user", perSecond: number, retryAfterMs: number): DomainError {
    refused.inc({ by });
    logRefusal(by, { by, perSecond });
    return rateLimited(by, perSecond, retryAfterMs);
  }

  return {
    refusalOfAddress(address) {
      const waitMs = byAddress?.take(address) ?? 0;
      return waitMs === 0 ? undefined : refusal("address", o.perAddress, waitMs);
    },
    refusalOfUser({ kind, subject }) {
      const waitMs = (kind === "customer" ? byCustomer : byOperator)?.take(subject) ?? 0;
      return waitMs === 0 ? undefined : refusal("user", o.perUser, waitMs);
    },
  };
}

function bucketsFor(perSecond: number): TokenBuckets | undefined {
  if (perSecond === 0) return undefined;
  return createTokenBuckets({ capacity: Math.max(1, perSecond), refillPerSecond: perSecond });
}

/** After authentication: counts the calls of customers and operators, to methods that require a caller. */
export function createUserLimit(limits: RateLimits): Interceptor {
  return (next) => (req) => {
    const principal = req.contextValues.get(principalKey);
    if (principal.kind !== "customer" && principal.kind !== "operator") return next(req);
    const refusal = limits.refusalOfUser(principal);
    if (refusal !== undefined) throw refusal;
    return next(req);
  };
}

/** The calls that are not counted by address. */
export interface AddressLimitOptions {
  readonly limits: RateLimits;
  /** Methods that balancers ask. */
  readonly probes: ReadonlySet<DescMethod>;
  readonly identifyService: IdentifyService;
  /** Takes services at their word, because nothing is configured by which they could prove anything; on loopback only. */
  readonly trustsServices: boolean;
}

/** Counts the calls that come from the network by the address of their client, before they are read. */
export function createAddressLimit(o: AddressLimitOptions): Admit {
  return ({ method, requestHeader, values }) => {
    const address = values.get(addressKey);
    if (address === undefined || o.probes.has(method)) return;
    if (o.trustsServices && requestHeader.has(callerHeader)) return;
    if (o.identifyService({ header: requestHeader, contextValues: values }) !== undefined) return;
    const refusal = o.limits.refusalOfAddress(address);
    if (refusal !== undefined) throw mapError(refusal).error;
  };
}

function rateLimited(by: "address" | "user", perSecond: number, retryAfterMs: number): DomainError {
  const whose = by === "address" ? "This address" : "The bearer of this access token";
  return new DomainError({
    code: "RATE_LIMITED",
    rpcCode: Code.ResourceExhausted,
    title: "Too many requests",
    message: `${whose} sends more than ${perSecond} requests per second, which is the maximum. Nothing has begun: send the request again after the time stated.`,
    retryAfterMs,
  });
}
