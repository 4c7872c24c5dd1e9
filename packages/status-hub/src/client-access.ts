/** Admits or refuses a client, by the access rule of the contract for what clients subscribe to. */
import type { IncomingMessage } from "node:http";
import { frameAccessOf } from "@smartcart/contract";
import { SubscriptionSchema } from "@smartcart/gen/status/v1/frames_pb";
import type { Access } from "@smartcart/identity";
import type { DomainError, RateLimits } from "@smartcart/mesh";
import { accessRefusalOf, authenticationError, httpProblemOf } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import type { Refusal } from "./admission.ts";
import type { ClientIdentity } from "./client-identity.ts";
import { identify } from "./client-identity.ts";

/** Undefined: the client may subscribe, to what it may see. */
export function accessRefusal(
  { principal }: ClientIdentity,
  { trust }: Access,
): Refusal | undefined {
  const error = accessRefusalOf(frameAccessOf(SubscriptionSchema), principal, {
    ...trust,
    services: false,
  });
  return error && toRefusal(error);
}

/** Calls `onKnown` with the client's identity, synchronously where it is known already; else `onRefused` with the reason. */
export async function withIdentity(
  request: IncomingMessage,
  o: { readonly access: Access; readonly log: Logger },
  onKnown: (identity: ClientIdentity) => void,
  onRefused: (refusal: Refusal) => void,
): Promise<void> {
  try {
    const identity = identify(request, o.access);
    onKnown(identity instanceof Promise ? await identity : identity);
  } catch (error) {
    const refusal = toRefusal(authenticationError(error));
    if (refusal.code === "INTERNAL") o.log.error("status.upgrade_failed", { error });
    onRefused(refusal);
  }
}

/** Counts a frame by the client's address and person. @returns the error where it is one too many. */
export function limitOf(
  limits: RateLimits,
  { principal, address }: ClientIdentity,
): DomainError | undefined {
  const refusal = limits.refusalOfAddress(address);
  if (refusal !== undefined) return refusal;
  const isUser = principal.kind === "customer" || principal.kind === "operator";
  return isUser ? limits.refusalOfUser(principal) : undefined;
}

/** An error as the answer to a request for an upgrade. */
export function toRefusal(error: unknown): Refusal {
  const { status, body, headers } = httpProblemOf(error);
  const retryAfter = headers["retry-after"];
  return {
    status: status as Refusal["status"],
    code: String(body.code),
    detail: String(body.detail),
    ...(retryAfter !== undefined && { retryAfterS: Number(retryAfter) }),
  };
}
