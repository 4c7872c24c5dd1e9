/** The descendants of a process and their memory, read from Linux's /proc. */
import { readdir, readFile } from "node:fs/promises";

/** A running process, as `/proc` shows it. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parentPid: number;
  /** Its program: "postgres". */
  readonly name: string;
  /** Resident memory in bytes, shared pages included. */
  readonly residentBytes: number;
  /** Resident memory in bytes, where shared pages count in part for each process that has them. */
  readonly proportionalBytes: number;
}

/** The process and all its descendants that are alive now; empty where it is not. */
export async function processTree(pid: number): Promise<readonly ProcessInfo[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = (await Promise.all(pids.map(readProcess))).filter((info) => info !== undefined);
  const descendants = (info: ProcessInfo): ProcessInfo[] => [
    info,
    ...all.filter(({ parentPid }) => parentPid === info.pid).flatMap(descendants),
  ];
  return all.filter((info) => info.pid === pid).flatMap(descendants);
}

/** Whether it runs. One that has ended and was not yet collected by its parent counts as ended. */
export async function isRunning(pid: number): Promise<boolean> {
  return (await readProcess(pid)) !== undefined;
}

async function readProcess(pid: number): Promise<ProcessInfo | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1];
  if (status === "" || field("State") === "Z") return undefined;
  const residentBytes = Number(field("VmRSS") ?? 0) * 1_024;
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  const proportional = /^Pss:\s+(\d+)/m.exec(rollup)?.[1];
  return {
    pid,
    parentPid: Number(field("PPid")),
    name: field("Name") ?? "",
    residentBytes,
    // Not readable for a process of another user.
    proportionalBytes: proportional === undefined ? residentBytes : Number(proportional) * 1_024,
  };
}
