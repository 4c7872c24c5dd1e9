import { hostName, isLocalName, isLoopback } from "@smartcart/runtime";

/**
 * Whether a request that came to a port on loopback is from this machine. A proxy here may pass on requests from elsewhere; then it
 * says so in `X-Forwarded-For`. And a page of another site may have its name point at this machine, to be let in by a browser on
 * it; then that name is in `Host`, or in what a proxy made of it.
 */
export function isFromThisMachine(header: Headers): boolean {
  const senders = header.get("x-forwarded-for")?.split(",") ?? [];
  const hosts = ["x-forwarded-host", "host"].flatMap((name) => header.get(name) ?? []);
  return (
    hosts.every((host) => isLocalName(hostName(host) ?? "")) &&
    senders.every((sender) => isLoopback(sender.trim()))
  );
}
