/**
 * How a command of `smartcart` is written. To add one:
 *
 * 1. Write `src/commands/NAME.ts` with a function of type `AddCommand`: `program.command("name").summary(…).description(…)`, then its
 *    arguments, its options and its action. Arguments and options are commander's, with a parser from `parsers.ts` for everything
 *    that is not free text.
 *    Import what it runs in the action (`await import(…)`): the help and the version need none of the services.
 * 2. Add it to the list in `src/commands/all.ts`. Help, suggestions, exit codes and the tests of bad arguments follow from that.
 *
 * The action writes its result with `cli.print`, or with `cli.printJson` where the option `--json` (`jsonOption`) is set, and everything
 * else with `cli.note`. It throws a `CommandError` where it fails; StartError and ConfigError are shown in the same way.
 */
import type { Command } from "commander";
import { Option } from "commander";

/** What a command is given, beside its arguments. */
export interface Cli {
  readonly env: NodeJS.ProcessEnv;
  /**
   * Writes to standard output. Returns whether more is wanted: false once the reader has left (`| head -1`), which is no error: a command that
   * prints a long list ends then.
   */
  print(text: string): boolean;
  /** The same with the secrets in the text, for a command whose purpose is to print one. */
  printSecret(text: string): boolean;
  /** Writes a value to standard output as one line of JSON: one document, or one line of several. Returns what `print` does. */
  printJson(value: unknown): boolean;
  /** Writes a line for the person to standard error: progress, hints. Never what a program has to read. */
  note(line: string): void;
}

/** Adds one command to the program. */
export type AddCommand = (program: Command, cli: Cli) => void;

/** Exit codes of every command. */
export const exitCodes = {
  /** Done as asked. */
  done: 0,
  /** The command failed, or what it checked is not as it should be. */
  failed: 1,
  /** The command line is wrong: nothing was done. */
  usage: 2,
} as const;

/** A command could not do what was asked. The message is a sentence for the person; the exit code is 1. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** `--json`: for every command that prints a result. */
export function jsonOption(): Option {
  return new Option("--json", "print JSON for programs instead of text");
}
