/** The settings of all services, from the same specs that parse them. */
import { allConfig } from "../config.ts";

interface Described {
  readonly default?: unknown;
  readonly desc?: string;
}

/** One environment variable. */
export interface Setting {
  readonly name: string;
  /** Null: unset. */
  readonly default: unknown;
  readonly description: string;
}

/** In the order of their names. */
export function settings(): Setting[] {
  return Object.entries(allConfig as Readonly<Record<string, Described>>)
    .map(([name, { default: value, desc = "" }]) => {
      return { name, default: value === "" ? null : (value ?? null), description: sentence(desc) };
    })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** The settings as a Markdown table. */
export function settingsTable(): string {
  const rows = settings().map(({ name, default: value, description }) => {
    return `| \`${name}\` | ${value === null ? "unset" : `\`${value}\``} | ${description} |`;
  });
  return ["| variable | default | meaning |", "|---|---|---|", ...rows, ""].join("\n");
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
