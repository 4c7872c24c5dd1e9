import { createHash, timingSafeEqual } from "node:crypto";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { hostName, isLocalName, isLoopback, StartError } from "@smartcart/runtime";
import { tokenNeeded } from "./errors.ts";

type Impl = ServiceImpl<typeof OpsService>;
type Method = (request: never, context: HandlerContext) => unknown;

/**
 * Throws a StartError if any host on the network could use the console: it reads messages, repairs data, and in demo mode
 * breaks things.
 */
export function requireTokenOrLoopback(host: string, token: string | undefined): void {
  if (token !== undefined || isLoopback(host)) return;
  throw new StartError(
    `OPS_TOKEN is not set, and HOST=${host} would open the operations console to the network; set OPS_TOKEN (openssl rand -hex 16), or HOST=127.0.0.1`,
    { variable: "OPS_TOKEN" },
  );
}

/** The same service for those who bear the token; without one, for this machine. */
export function guarded(impl: Impl, token: string | undefined): Impl {
  const admit = createGuard(token);
  const entries = Object.entries(impl as Record<string, Method>).map(([name, method]) => [
    name,
    (request: never, context: HandlerContext) => {
      admit(context.requestHeader);
      return method(request, context);
    },
  ]);
  return Object.fromEntries(entries) as Impl;
}

function createGuard(token: string | undefined): (header: Headers) => void {
  if (token === undefined) return refuseStrangers;
  const expected = digest(`Bearer ${token}`);
  return (header) => {
    if (!timingSafeEqual(digest(header.get("authorization") ?? ""), expected)) throw tokenNeeded();
  };
}

/**
 * A proxy on this machine may forward calls of other machines; its headers then say so. And a page of another site may have its
 * name point at this machine, to be let in by a browser on it; then it asks for that name.
 */
function refuseStrangers(header: Headers): void {
  const senders = header.get("x-forwarded-for")?.split(",") ?? [];
  // A proxy puts its own name for this service into Host, and what the browser asked for into the other.
  const hosts = ["x-forwarded-host", "host"].flatMap((name) => header.get(name) ?? []);
  const isHere = hosts.every((host) => isLocalName(hostName(host) ?? ""));
  if (!isHere || !senders.every((sender) => isLoopback(sender.trim()))) throw tokenNeeded();
}

/** Of equal length whatever the text, for a comparison that takes the same time. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
