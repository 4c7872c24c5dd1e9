/** The settings of the instances: the database, the broker and other services are behind proxies. */
import { compileCache } from "@smartcart/testkit";
import type { FaultProxy } from "../faults/fault-proxy.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { serviceOf, services } from "./system-topology.ts";

export interface EnvironmentOptions {
  readonly infrastructure: Infrastructure;
  readonly directory: string;
  /** Settings that differ from the usual ones, for every instance. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Free ports for the services inside `smartcart`: two of its processes run on one machine, and no client uses these ports. */
const anyPorts = Object.fromEntries(
  ["INVENTORY", "PAYMENT", "SHIPPING", "NOTIFICATION", "STATUS", "LOG", "OPS", "WEB"].map(
    (service) => [`${service}_PORT`, "0"],
  ),
);

/** The environment of one instance but for its own port. */
export function environment(
  instance: string,
  links: ReadonlyMap<string, FaultProxy>,
  { infrastructure, directory, env }: EnvironmentOptions,
): Record<string, string> {
  const through = (url: string, link: string) => {
    const proxied = new URL(url);
    proxied.port = String(links.get(link)?.port);
    return proxied.href;
  };
  const peers = services[serviceOf(instance)].calls.map(({ service, variable }) => [
    variable,
    `http://127.0.0.1:${links.get(`${instance}→${service}`)?.port}`,
  ]);
  return {
    ...Object.fromEntries(peers),
    DATABASE_URL: through(infrastructure.database.url, `${instance}→database`),
    AMQP_URL: through(infrastructure.broker.url, `${instance}→broker`),
    SMARTCART_STATE: directory,
    // Halves the CPU time of a start; a restarted instance finds what the first one compiled.
    NODE_COMPILE_CACHE: compileCache,
    LOG_LEVEL: "info",
    SHIPPING_DELAY_MS: "300",
    // So late that no poller repairs a lost message: the run must detect it.
    ORDER_SHIPMENT_OVERDUE_MS: "3600000",
    // So short that a reservation expires while its payment hangs.
    RESERVATION_TTL_MS: "6000",
    // Shorter than PROVIDER_SLOW_MS, so that tok_slow is an unknown outcome as well.
    PROVIDER_TIMEOUT_MS: "1000",
    STATUS_HEARTBEAT_MS: "3000",
    ...(serviceOf(instance) === "smartcart" && anyPorts),
    ...env,
  };
}
