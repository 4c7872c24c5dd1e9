/** Descriptors, memory and CPU time of the shop's process, from Linux's /proc and its inspector. */
import { readdir, readFile } from "node:fs/promises";
import { cpuMsOf, processTree } from "@smartcart/testkit";
import { readHeap } from "./inspector.ts";
import type { Shop } from "./shop.ts";

/** Of the shop's process. */
export interface Holdings {
  /** Without the honest customers' connections, whose number depends on the speed of the machine. */
  readonly descriptors: number;
  readonly residentBytes: number;
}

/** Read after a garbage collection. */
export interface Rest extends Holdings {
  /** Objects and the buffers outside the heap. */
  readonly liveBytes: number;
}

async function readHoldings({ process }: Shop, customersPid: number): Promise<Holdings> {
  const [all, theirs] = await Promise.all(
    [process.pid, customersPid].map((pid) => readdir(`/proc/${pid}/fd`)),
  );
  const status = await readFile(`/proc/${process.pid}/status`, "utf8");
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
  const descriptors = (all?.length ?? 0) - (theirs?.length ?? 0);
  return { descriptors, residentBytes: Number(kilobytes) * 1_024 };
}

export async function readRest(shop: Shop, customersPid: number): Promise<Rest> {
  const { used, external } = await readHeap(shop.inspectorUrl);
  return { ...(await readHoldings(shop, customersPid)), liveBytes: used + external };
}

/** The largest of each since the last call, read twice a second. */
export function watchPeaks(
  shop: Shop,
  customersPid: number,
): { readonly peak: () => Holdings } & Disposable {
  let peak: Holdings = { descriptors: 0, residentBytes: 0 };
  const timer = setInterval(async () => {
    const now = await readHoldings(shop, customersPid).catch(() => peak);
    peak = {
      descriptors: Math.max(peak.descriptors, now.descriptors),
      residentBytes: Math.max(peak.residentBytes, now.residentBytes),
    };
  }, 500);
  return { peak: () => peak, [Symbol.dispose]: () => clearInterval(timer) };
}

/** CPU time in milliseconds since the start, by process; `others` by name and process id. */
export async function readCpu(
  shop: Shop,
  others: Readonly<Record<string, number | undefined>>,
): Promise<Record<string, number>> {
  const database = (await processTree(shop.databasePid)).map(({ pid }) => pid);
  const groups = { shop: [shop.process.pid], database, ...mapValues(others, (pid) => [pid]) };
  const entries = Object.entries(groups).map(async ([name, pids]) => [name, await cpuMsOf(pids)]);
  return Object.fromEntries(await Promise.all(entries));
}

/** The same record with other values. */
export function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  to: (value: A, name: string) => B,
) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value, name)]));
}
