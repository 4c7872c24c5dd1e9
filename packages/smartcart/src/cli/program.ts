/** The command line as a whole: its name, version and help, the commands, and how wrong usage is reported. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { commands } from "../commands/all.ts";
import type { Cli } from "./command.ts";

const footer = `
Settings are environment variables: "smartcart settings" lists them, docs/operations.md describes them.
Exit codes: 0 done, 1 failed, 2 wrong usage. Results are written to standard output, messages to standard error.`;

/** The program with all commands. Parsing throws a CommanderError where it ends with help, the version or wrong usage. */
export function createProgram(cli: Cli): Command {
  const program = new Command("smartcart")
    .description(
      "An order backend in which one set of .proto files is the whole contract.\nRun a command with --help for its arguments and options.",
    )
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText("after", footer)
    .exitOverride()
    .configureOutput({
      writeOut: cli.print,
      writeErr: (text) => cli.note(text.trimEnd()),
      outputError: (text, write) => write(inOurWords(text)),
    });
  for (const add of commands) add(program, cli);
  for (const command of everyCommand(program)) {
    command.showHelpAfterError(`Run "${pathOf(command)} --help" for its usage.`);
  }
  return program;
}

/** The program and all commands below it. */
export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** "smartcart dlq list" */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** "error: unknown command 'upp'\n(Did you mean up?)" as sentences. */
function inOurWords(text: string): string {
  const sentences = text
    .trim()
    .replace(/^error: (.)/, (_, first: string) => first.toUpperCase())
    .replace(/\n\(Did you mean ((?:.|\n)*)\?\)$/, '. Did you mean "$1"?')
    .replace(/'([^'\n]*)'/g, '"$1"');
  return /[.?]$/.test(sentences) ? sentences : `${sentences}.`;
}

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
