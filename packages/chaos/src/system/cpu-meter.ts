/** CPU time by service, engine and harness, read from Linux's /proc. */
import { cpuMsOf } from "@smartcart/testkit";
import type { ServiceProcess } from "./service-process.ts";
import type { System } from "./system.ts";

/** Counts processes that end during the measurement only if `instanceEnds` is called for them. */
export interface CpuMeter {
  /** To be called before an instance is stopped: /proc forgets a process when it ends. */
  instanceEnds(instance: ServiceProcess): Promise<void>;
  /** Used since the start, by name of the service, "database", "broker" and "harness" (customers and proxies), in milliseconds. */
  total(): Promise<Record<string, number>>;
}

/** Starts to count now. */
export async function startCpuMeter(system: System): Promise<CpuMeter> {
  const { database, broker } = system.infrastructure;
  const used = new Map<string, number>();
  const add = (name: string, ms: number) => used.set(name, (used.get(name) ?? 0) + ms);
  const harness = process.cpuUsage();

  const readAll = async (sign: 1 | -1) => {
    for (const instance of system.instances.values())
      add(instance.service, sign * (await cpuMsOf([instance.pid])));
    add("database", sign * (await cpuMsOf(await database.pids())));
    add("broker", sign * (await cpuMsOf(await broker.pids())));
  };
  await readAll(-1);

  return {
    instanceEnds: async (instance) => void add(instance.service, await cpuMsOf([instance.pid])),
    async total() {
      await readAll(1);
      const { user, system: kernel } = process.cpuUsage(harness);
      return { ...Object.fromEntries(used), harness: (user + kernel) / 1_000 };
    },
  };
}
