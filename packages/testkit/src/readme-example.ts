import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { CommandResult } from "./run-command.ts";
import { runCommand } from "./run-command.ts";

/** The TypeScript examples in the README of a package, whose folder ends with a slash. */
export async function readExamples(folder: URL): Promise<string[]> {
  const readme = await readFile(new URL("README.md", folder), "utf8");
  return [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
}

/** Runs an example in the folder of its package, as its reader would, with PATH and these variables alone. */
export function runExample(
  folder: URL,
  code: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const { PATH = "" } = process.env;
  const env = Object.entries({ PATH, ...variables }).map(([name, value]) => `${name}=${value}`);
  const args = ["-i", ...env, process.execPath, "--input-type=module-typescript", "--eval", code];
  return runCommand("env", args, { cwd: fileURLToPath(folder) });
}

/** The expected output of an example, from the comments after its `console.log(…)`. */
export function promisedOutput(code: string): string {
  return [...code.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)]
    .map(([, line]) => `${line}\n`)
    .join("");
}
