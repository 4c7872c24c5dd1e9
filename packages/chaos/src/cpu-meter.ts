/** Where the CPU time goes: by service, engine and harness, read from Linux's /proc. */
import { readFile } from "node:fs/promises";
import type { ServiceProcess } from "./service-process.ts";
import type { System } from "./system.ts";

export interface CpuMeter {
  /** To be called before a part is stopped: what its process has used is gone with it. */
  partEnds(part: ServiceProcess): Promise<void>;
  /** Used since the start, by name of the service, "database", "broker" and "harness" (customers and proxies), in milliseconds. */
  total(): Promise<Record<string, number>>;
}

/** Linux counts in hundredths of a second (USER_HZ), whatever the kernel's own tick is. */
const tickMs = 10;

/** Starts to count now. */
export async function startCpuMeter(system: System): Promise<CpuMeter> {
  const { database, broker } = system.infrastructure;
  const used = new Map<string, number>();
  const add = (name: string, ms: number) => used.set(name, (used.get(name) ?? 0) + ms);
  const harness = process.cpuUsage();

  const readAll = async (sign: 1 | -1) => {
    for (const part of system.parts.values()) add(part.service, sign * (await cpuMsOf([part.pid])));
    add("database", sign * (await cpuMsOf(await database.pids())));
    add("broker", sign * (await cpuMsOf(await broker.pids())));
  };
  await readAll(-1);

  return {
    partEnds: async (part) => void add(part.service, await cpuMsOf([part.pid])),
    async total() {
      await readAll(1);
      const { user, system: kernel } = process.cpuUsage(harness);
      return { ...Object.fromEntries(used), harness: (user + kernel) / 1_000 };
    },
  };
}

/** Of processes that are alive, and of their children that have ended; 0 for one that is not there. */
export async function cpuMsOf(pids: readonly (number | undefined)[]): Promise<number> {
  const stats = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")),
  );
  return stats.reduce((sum, stat) => sum + parseCpuMs(stat), 0);
}

/** From the text of /proc/<pid>/stat, see proc(5); exported for its test. */
export function parseCpuMs(stat: string): number {
  // The name, in brackets, may have spaces and brackets itself; utime is the twelfth field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks * tickMs;
}
