import type { ServiceClientOptions } from "@smartcart/mesh";
import { StartError } from "@smartcart/runtime";
import type { OpsConfig } from "./config.ts";

/** The services that are watched, in the order in which an order meets them. */
export const serviceNames = [
  "order",
  "inventory",
  "payment",
  "notification",
  "shipping",
  "status-hub",
  "log",
] as const;

export type ServiceName = (typeof serviceNames)[number];

/** Where a process of a service is: its URL, or the transport of one in the same process. */
export type InstanceAddress = Pick<ServiceClientOptions, "baseUrl" | "transport">;

/** The processes of each service. */
export type InstanceAddresses = Readonly<Record<ServiceName, readonly InstanceAddress[]>>;

/** What the variables name. Throws a StartError where OPS_INSTANCES cannot be read. */
export function addressesOf(config: OpsConfig): InstanceAddresses {
  const usual: Readonly<Record<ServiceName, string>> = {
    order: config.ORDER_URL,
    inventory: config.INVENTORY_URL,
    payment: config.PAYMENT_URL,
    notification: config.NOTIFICATION_URL,
    shipping: config.SHIPPING_URL,
    "status-hub": config.STATUS_URL,
    log: config.LOG_URL,
  };
  const listed = readList(config.OPS_INSTANCES ?? "");
  const addresses = serviceNames.map((name) => {
    const urls = listed.filter(([service]) => service === name).map(([, url]) => url);
    return [name, (urls.length > 0 ? urls : [usual[name]]).map((baseUrl) => ({ baseUrl }))];
  });
  return Object.fromEntries(addresses) as unknown as InstanceAddresses;
}

function readList(text: string): [service: string, url: string][] {
  const entries = text.split(",").filter((entry) => entry.trim() !== "");
  return entries.map((entry) => {
    const [service = "", url = ""] = entry.trim().split(/=(.*)/s, 2);
    if (!isServiceName(service) || !URL.canParse(url) || !/^https?:/.test(url)) {
      throw new StartError(
        `OPS_INSTANCES: "${entry.trim()}" is not service=URL with one of ${serviceNames.join(", ")}; write order=http://127.0.0.1:8080,…`,
        { variable: "OPS_INSTANCES" },
      );
    }
    return [service, url.replace(/\/+$/, "")];
  });
}

/** Whether there is such a service. */
function isServiceName(name: string): name is ServiceName {
  return (serviceNames as readonly string[]).includes(name);
}
