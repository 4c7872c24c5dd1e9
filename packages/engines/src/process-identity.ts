import { execFile } from "node:child_process";
import { readFile, readlink, realpath } from "node:fs/promises";
import { promisify } from "node:util";
import { processExists } from "@smartcart/runtime";

const execute = promisify(execFile);

/**
 * A text that distinguishes a process from a later one with the same id: its start time and the boot of the machine.
 * Undefined when there is no such process, or the system does not say.
 */
export async function identityOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return askPs("lstart", pid);
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    // The name of the program, in parentheses, may hold blanks. After it, the state is field 3 and the start time
    // field 22 (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    return `${fields[19]}@${boot.trim()}`;
  } catch {
    return undefined;
  }
}

/**
 * Whether the process is a server that works in that folder, and not an unrelated one with a reused id: on Linux by its working
 * directory, elsewhere by its command line.
 */
export async function worksIn(pid: number, folder: string): Promise<boolean> {
  if (!processExists(pid)) return false;
  if (process.platform !== "linux") {
    return (await askPs("command", pid))?.includes(folder) ?? false;
  }
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return cwd === (await realpath(folder).catch(() => folder));
}

async function askPs(field: string, pid: number): Promise<string | undefined> {
  const found = await execute("ps", ["-o", `${field}=`, "-p", String(pid)]).catch(() => undefined);
  return found?.stdout.trim() || undefined;
}
