import { runCli } from "../src/cli/run-cli.ts";

/** How a command ended, and what it wrote. */
export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `smartcart ARGS` in this process. Not for commands that run until a signal. */
export async function cli(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<CliResult> {
  const written = { stdout: "", stderr: "" };
  const code = await runCli(args, env, (stream, text) => {
    written[stream] += text;
    return undefined;
  });
  return { code, ...written };
}
