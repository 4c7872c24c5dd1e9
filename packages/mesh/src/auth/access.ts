/** Decides by the contract who may call a method. */
import type { AccessRule } from "@smartcart/contract";
import { describeAccess } from "@smartcart/contract";
import type { Principal } from "@smartcart/identity";
import { callerNotAllowed, callerUnknown, signInNeeded, wrongPrincipal } from "./access-errors.ts";

/** Which callers a server trusts without proof, because nothing is configured that could prove it. On loopback that is by design. */
export interface Trust {
  /** A request that names a customer is taken to come from that customer. */
  readonly customers: boolean;
  /** Everybody on this machine is an operator. */
  readonly operators: boolean;
  /** Everybody is a service. */
  readonly services: boolean;
}

/**
 * Undefined where the principal may call; else the error. A customer who may call is still held to what is theirs, see
 * `AccessRule.customer`.
 */
export function refusalOf(rule: AccessRule, principal: Principal, trust: Trust): Error | undefined {
  if (rule.isPublic) return undefined;
  switch (principal.kind) {
    case "customer":
      return rule.customer ? undefined : wrongPrincipal("customer", describeAccess(rule));
    case "operator":
      return rule.operator ? undefined : wrongPrincipal("operator", describeAccess(rule));
    case "service":
      return rule.services.includes(principal.name) || isTrusted(rule, trust)
        ? undefined
        : callerNotAllowed(principal.name, describeAccess(rule));
    case "anonymous":
      if (isTrusted(rule, trust)) return undefined;
      return rule.customer || rule.operator ? signInNeeded() : callerUnknown();
  }
}

/** A method that operators and services may call is open without proof only if both are trusted: else its check could be bypassed. */
function isTrusted({ customer, operator, services }: AccessRule, trust: Trust): boolean {
  if (customer !== undefined && trust.customers) return true;
  const isStaff = operator || services.length > 0;
  return isStaff && (!operator || trust.operators) && (services.length === 0 || trust.services);
}
