import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";

/** `consumer-process.ts`, running. Disposing kills it. */
export interface Victim extends AsyncDisposable {
  readonly lines: readonly string[];
  /** Resolves when it has said that line. */
  said(line: string): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

/** Starts it with the bus options, a queue or "fan-out", and the size of its batches. */
export async function startVictim(
  options: object,
  queue = "orders",
  maxBatch = 1,
): Promise<Victim> {
  const script = fileURLToPath(new URL("./consumer-process.ts", import.meta.url));
  const args = [script, JSON.stringify(options), queue, String(maxBatch)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const said = async (line: string) => {
    await eventually(
      () => lines,
      (all) => all.includes(line),
      60_000,
    );
  };
  await said("ready");
  return {
    lines,
    said,
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
