/** The settings of the parts: everything that they reach is behind a proxy. */
import { compileCache } from "@smartcart/testkit";
import type { FaultProxy } from "../faults/fault-proxy.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { serviceOf, services } from "./system-topology.ts";

export interface EnvironmentOptions {
  readonly infrastructure: Infrastructure;
  readonly directory: string;
  /** Settings that differ from the usual ones, for every part. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Two of the same parts on one machine: nobody asks for them by their ports. */
const anyPorts = Object.fromEntries(
  ["INVENTORY", "PAYMENT", "SHIPPING", "NOTIFICATION", "STATUS", "LOG", "OPS", "WEB"].map(
    (part) => [`${part}_PORT`, "0"],
  ),
);

/** The environment of one part but for its own port. */
export function environment(
  part: string,
  links: ReadonlyMap<string, FaultProxy>,
  { infrastructure, directory, env }: EnvironmentOptions,
): Record<string, string> {
  const through = (url: string, link: string) => {
    const proxied = new URL(url);
    proxied.port = String(links.get(link)?.port);
    return proxied.href;
  };
  const peers = services[serviceOf(part)].calls.map(({ service, variable }) => [
    variable,
    `http://127.0.0.1:${links.get(`${part}→${service}`)?.port}`,
  ]);
  return {
    ...Object.fromEntries(peers),
    DATABASE_URL: through(infrastructure.database.url, `${part}→database`),
    AMQP_URL: through(infrastructure.broker.url, `${part}→broker`),
    SMARTCART_STATE: directory,
    // Halves the CPU time of a start; a restarted part finds what the first one compiled.
    NODE_COMPILE_CACHE: compileCache,
    LOG_LEVEL: "info",
    SHIPPING_DELAY_MS: "300",
    // A lost message has to be seen here, not healed.
    ORDER_SHIPMENT_OVERDUE_MS: "3600000",
    // Short enough that a payment which hangs outlives its reservation.
    RESERVATION_TTL_MS: "6000",
    // Shorter than PROVIDER_SLOW_MS, so that tok_slow is an unknown outcome as well.
    PROVIDER_TIMEOUT_MS: "1000",
    STATUS_HEARTBEAT_MS: "3000",
    ...(serviceOf(part) === "smartcart" && anyPorts),
    ...env,
  };
}
