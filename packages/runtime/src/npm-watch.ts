import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { processExists } from "./process-exists.ts";

/** How often it checks whether the parent still runs. */
const pollMs = 500;

/**
 * Calls `onEnd` once the npm that started this process has ended: a process whose npm was killed would otherwise go on in the
 * background and keep its ports. Only where npm started it (`npm_lifecycle_event`): a process started by a shell may outlive it.
 */
export function watchNpm(env: NodeJS.ProcessEnv, onEnd: () => void): void {
  if (env.npm_lifecycle_event === undefined) return;
  // An orphan gets another parent: process 1, or the subreaper.
  const parent = process.ppid;
  const npm = npmBehindShell(parent);
  const poll = setInterval(() => {
    if (process.ppid === parent && (npm === undefined || processExists(npm))) return;
    clearInterval(poll);
    onEnd();
  }, pollMs);
}

/** npm runs a script by a shell, which outlives it. Undefined where the parent is npm itself, or cannot be looked at. */
function npmBehindShell(parent: number): number | undefined {
  try {
    const { name, parentPid } = process.platform === "linux" ? fromProc(parent) : fromPs(parent);
    return /(^|\/)-?(ba|da|a|z)?sh$/.test(name) ? parentPid : undefined;
  } catch {
    // The tool is missing: the parent itself is watched.
    return undefined;
  }
}

interface ProcessFacts {
  readonly name: string;
  readonly parentPid: number;
}

/** proc_pid_stat(5): "pid (name) state ppid …", and the name may hold anything. */
function fromProc(pid: number): ProcessFacts {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const end = stat.lastIndexOf(")");
  return {
    name: stat.slice(stat.indexOf("(") + 1, end),
    parentPid: Number(stat.slice(end + 2).split(" ")[1]),
  };
}

function fromPs(pid: number): ProcessFacts {
  const line = execFileSync("ps", ["-o", "ppid=,comm=", "-p", `${pid}`], {
    encoding: "utf8",
  }).trim();
  const at = line.indexOf(" ");
  return { name: line.slice(at).trim(), parentPid: Number(line.slice(0, at)) };
}
