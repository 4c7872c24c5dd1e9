/** Reads the command lines of programs that developers run. */
import type { ParseArgsConfig } from "node:util";
import { parseArgs } from "node:util";

/** An invalid command line; `runTool` prints the message with the usage. */
export class UsageError extends Error {}

/** The values of the options. Throws a UsageError for an unknown option, or one without its value. */
export function parseValues<const T extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** A whole number within the bounds, which are part of it. Throws a UsageError. */
export function wholeNumber(
  option: string,
  text: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const bounds = most === Number.MAX_SAFE_INTEGER ? `${least} on` : `${least} to ${most}`;
  throw new UsageError(`--${option} must be a whole number from ${bounds}, not "${text}"`);
}

/** Names from a comma-separated list; all known names if it is undefined. Throws a UsageError for an unknown name. */
export function namesOf<N extends string>(
  option: string,
  text: string | undefined,
  all: readonly N[],
): readonly N[] {
  const names = text?.split(",") ?? all;
  const unknown = names.find((name) => !(all as readonly string[]).includes(name));
  if (unknown === undefined) return names as readonly N[];
  throw new UsageError(`--${option}: there is no "${unknown}"; there are: ${all.join(", ")}`);
}
