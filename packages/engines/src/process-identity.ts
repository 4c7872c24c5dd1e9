import { execFile } from "node:child_process";
import { readFile, readlink, realpath } from "node:fs/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** True while a process with that id exists, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * A text that tells a process from a later one with the same id: when it was started, and in which boot of the machine.
 * Undefined when there is no such process, or the system does not say.
 */
export async function identityOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return identityByPs(pid);
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

async function identityByPs(pid: number): Promise<string | undefined> {
  const found = await execute("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => undefined);
  return found?.stdout.trim() || undefined;
}

/** True when the process is a PostgreSQL server on that data folder, and not a stranger who was given an old id. */
export async function isPostmasterOf(pid: number, dataDirectory: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const data = await realpath(dataDirectory);
  if (process.platform === "linux") {
    // the server works in its data folder
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    return folder === data;
  }
  const found = await execute("ps", ["-o", "command=", "-p", String(pid)]).catch(() => undefined);
  return found?.stdout.includes(dataDirectory) ?? false;
}
