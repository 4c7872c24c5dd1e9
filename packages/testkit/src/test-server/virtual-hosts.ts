import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startPrivateBroker } from "@smartcart/engines";
import { silentLogger } from "@smartcart/runtime";
import { addVirtualHost, deleteVirtualHost } from "../virtual-host.ts";
import type { Lender } from "./lender.ts";

/** Lends empty virtual hosts on one private RabbitMQ. */
export async function startVirtualHosts(sharedDirectory: string): Promise<Lender> {
  const directory = join(sharedDirectory, "rabbitmq");
  // Nothing in it is worth keeping, and what a killed run left could be broken. The rest tells of a
  // node that still runs.
  await rm(join(directory, "mnesia"), { recursive: true, force: true });
  const broker = await startPrivateBroker({ directory, log: silentLogger });
  const { managementUrl } = broker;
  return {
    lingerMs: 10_000,
    async lend() {
      const added = await addVirtualHost(broker);
      return {
        lent: { ...added, managementUrl },
        takeBack: () => deleteVirtualHost(managementUrl, added.vhost),
      };
    },
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}
