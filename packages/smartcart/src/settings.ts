/** The settings of all parts as a Markdown table, made from the same specs that parse them. */
import { allConfig } from "./config.ts";

interface Described {
  readonly default?: unknown;
  readonly desc?: string;
}

export function settingsTable(): string {
  const rows = Object.entries(allConfig as Readonly<Record<string, Described>>)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(
      ([name, spec]) => `| \`${name}\` | ${shown(spec.default)} | ${sentence(spec.desc ?? "")} |`,
    );
  return ["| variable | default | meaning |", "|---|---|---|", ...rows, ""].join("\n");
}

function shown(value: unknown): string {
  return value === undefined || value === "" ? "unset" : `\`${String(value)}\``;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
