/** Runs the command line: finds the command, and turns how it ends into an exit code and a message. */
import { CommanderError } from "commander";
import { ConfigError, reasonOf, StartError, writeOutput } from "@smartcart/runtime";
import { certificateProblem } from "./certificate-problem.ts";
import type { Cli } from "./command.ts";
import { CommandError, exitCodes } from "./command.ts";
import { createProgram } from "./program.ts";

/** Where a command writes. Returns what went wrong, undefined where all of it was written. Secrets are concealed by default. */
export type Write = (
  stream: "stdout" | "stderr",
  text: string,
  options?: { readonly withSecrets?: boolean },
) => NodeJS.ErrnoException | undefined;

/** Runs `smartcart ARGS` and returns its exit code. Never throws. `write` is replaced in tests. */
export async function runCli(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  write: Write = writeOutput,
): Promise<number> {
  let unwritten: NodeJS.ErrnoException | undefined;
  const printWith = (options?: { withSecrets: boolean }) => (text: string) => {
    unwritten ??= write("stdout", text, options);
    return unwritten === undefined;
  };
  const print = printWith();
  const printSecret = printWith({ withSecrets: true });
  const note = (line: string) => void write("stderr", `${line}\n`);
  const printJson = (value: unknown) => print(`${JSON.stringify(value)}\n`);
  const cli: Cli = { env, print, printSecret, printJson, note };
  const code = await resultOf(cli, args);
  // A reader that has left wanted no more; a full disk is a failure.
  if (unwritten === undefined || unwritten.code === "EPIPE") return code;
  note(`The output could not be written: ${unwritten.message}`);
  return code === exitCodes.done ? exitCodes.failed : code;
}

async function resultOf(cli: Cli, args: readonly string[]): Promise<number> {
  try {
    await createProgram(cli).parseAsync(args, { from: "user" });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    }
    cli.note(explain(error));
    if (cli.env.LOG_LEVEL === "debug" && error instanceof Error) cli.note(error.stack ?? "");
    return exitCodes.failed;
  }
}

function explain(error: unknown): string {
  if (error instanceof CommandError || error instanceof ConfigError) return error.message;
  if (error instanceof StartError) return capitalized(error.message);
  const { code } = error as { code?: unknown };
  if (code === "42P01" || code === "3F000")
    return `The database holds no SmartCart (${reasonOf(error)}). Check DATABASE_URL, or start SmartCart on it first.`;
  const untrusted = certificateProblem(error);
  if (untrusted !== undefined) return `A service cannot be called: ${untrusted}`;
  return `The command failed: ${reasonOf(error)} (LOG_LEVEL=debug shows more)`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
