/** CPU time of processes, read from Linux's /proc. */
import { readFile } from "node:fs/promises";

/** Linux counts in hundredths of a second (USER_HZ), whatever the kernel's own tick is. */
const tickMs = 10;

/** User and system time in milliseconds of processes that are alive, and of their children that have ended; 0 for one that is not there. */
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
