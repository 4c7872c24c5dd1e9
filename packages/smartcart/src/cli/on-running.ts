import type { Attached } from "../attach/attach.ts";
import type { Cli } from "./command.ts";

/** Runs a tool on the SmartCart that runs: on what the environment names, or on what runs in the state folder. */
export async function onRunning(
  { env }: Cli,
  tool: (running: Attached) => Promise<void>,
): Promise<void> {
  const { attach } = await import("../attach/attach.ts");
  await using running = await attach(env);
  await tool(running);
}
