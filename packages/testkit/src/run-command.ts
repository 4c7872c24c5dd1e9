/** Runs a program to completion: `buf`, `curl`, a shell command, a Python client. */
import type { SpawnOptions as NodeSpawnOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Environment and time limit of a command. */
export interface CommandOptions {
  /** Where it runs. Default: here. */
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** After so many milliseconds it is killed and the call fails. Default 20,000. */
  readonly timeoutMs?: number;
}

/** How a command ended. */
export interface CommandResult {
  /** The exit code, or the name of the signal that ended it. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it and returns its output, whatever its exit code is. Throws where it cannot be started or does not end. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env = {}, timeoutMs = 20_000 }: CommandOptions = {},
): Promise<CommandResult> {
  const options: NodeSpawnOptions = {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // In a group of its own, so that a time-out also ends what it started.
    detached: true,
  };
  const child = spawn(command, [...args], options);
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      written[name] += text;
    });
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  }, timeoutMs);
  try {
    const [code, signal] = await once(child, "close");
    if (late) {
      const { stdout, stderr } = written;
      throw new Error(
        `${command} did not end within ${timeoutMs} ms; it wrote:\n${stdout}${stderr}`,
      );
    }
    return { code: code ?? signal, ...written };
  } finally {
    clearTimeout(timer);
  }
}
