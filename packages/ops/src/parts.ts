import type { ServiceClientOptions } from "@smartcart/mesh";
import { StartError } from "@smartcart/runtime";
import type { OpsConfig } from "./config.ts";

/** The parts that are watched, in the order in which an order meets them. */
export const partNames = [
  "order",
  "inventory",
  "payment",
  "notification",
  "shipping",
  "status-hub",
  "log",
] as const;

export type PartName = (typeof partNames)[number];

/** Where a process of a part is: its URL, or the transport of one in the same process. */
export type PartAddress = Pick<ServiceClientOptions, "baseUrl" | "transport">;

/** The processes of each part. */
export type PartAddresses = Readonly<Record<PartName, readonly PartAddress[]>>;

/** What the variables name. Throws a StartError where OPS_PARTS cannot be read. */
export function addressesOf(config: OpsConfig): PartAddresses {
  const usual: Readonly<Record<PartName, string>> = {
    order: config.ORDER_URL,
    inventory: config.INVENTORY_URL,
    payment: config.PAYMENT_URL,
    notification: config.NOTIFICATION_URL,
    shipping: config.SHIPPING_URL,
    "status-hub": config.STATUS_URL,
    log: config.LOG_URL,
  };
  const listed = readList(config.OPS_PARTS ?? "");
  const addresses = partNames.map((name) => {
    const urls = listed.filter(([part]) => part === name).map(([, url]) => url);
    return [name, (urls.length > 0 ? urls : [usual[name]]).map((baseUrl) => ({ baseUrl }))];
  });
  return Object.fromEntries(addresses) as unknown as PartAddresses;
}

function readList(text: string): [part: string, url: string][] {
  const entries = text.split(",").filter((entry) => entry.trim() !== "");
  return entries.map((entry) => {
    const [part = "", url = ""] = entry.trim().split(/=(.*)/s, 2);
    if (!isPartName(part) || !URL.canParse(url) || !/^https?:/.test(url)) {
      throw new StartError(
        `OPS_PARTS: "${entry.trim()}" is not part=URL with one of ${partNames.join(", ")}; write order=http://127.0.0.1:8080,…`,
        { variable: "OPS_PARTS" },
      );
    }
    return [part, url.replace(/\/+$/, "")];
  });
}

/** Whether there is such a part. */
function isPartName(name: string): name is PartName {
  return (partNames as readonly string[]).includes(name);
}
