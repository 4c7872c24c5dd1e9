/**
 * Checks what Biome has no rule for: SQL keywords are in lower case, constants of modules are in camelCase, log events are named `noun.verb` with words joined by
 * underscores (`bus.publish_failed`), and no personal data or secret is a field of a log record. Run by `npm run lint`; prints one line per problem and exits with 1 if there are any.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface StyleProblem {
  /** From 1. */
  readonly line: number;
  readonly problem: string;
}

const sqlStatement =
  /^\s*(?:\$\{\w+\}\s+where\b|select\b|insert into\b|update\b|delete from\b|with\b|create\b|alter\b|values\b|\w+ as \()/i;
const keywords = new RegExp(
  `\\b(?:${[
    ...["SELECT", "INSERT", "INTO", "UPDATE", "DELETE", "FROM", "WHERE", "VALUES", "SET", "WITH"],
    ...["AS", "JOIN", "LEFT", "LATERAL", "ON", "CONFLICT", "DO", "NOTHING", "RETURNING", "UNION"],
    ...["GROUP BY", "ORDER BY", "LIMIT", "OFFSET", "AND", "OR", "NOT", "IN", "IS", "NULL", "ANY"],
    ...["EXISTS", "CASE", "WHEN", "THEN", "ELSE", "END", "FOR", "SKIP LOCKED", "USING", "DISTINCT"],
  ].join("|")})\\b`,
);
const text = /`((?:[^`\\]|\\.)*)`|"((?:[^"\\\n]|\\.)*)"/gs;
const logCall = /\blog\??\.(?:debug|info|warn|error)\(\s*(["`])((?:(?!\1).)*)\1/g;
const logFields = /\blog\??\.(?:debug|info|warn|error)\([^{;]*\{([^}]*)\}/g;
const privateField =
  /(?:^|[\s,])(userId|userIds|user|address|email|phone|paymentToken|token|authorization|password|secret)\s*(?=[,:]|$)/;
const eventName = /^[a-z][a-z0-9]*(?:\.[a-z0-9]+(?:_[a-z0-9]+)*)+$/;
const shoutedConstant = /^(?:export )?const ([A-Z][A-Z0-9_]+)\b/gm;

/** The problems of a TypeScript source, in the order of its lines. */
export function styleProblems(source: string): StyleProblem[] {
  const lineAt = (index: number) => source.slice(0, index).split("\n").length;
  const shouted = [...source.matchAll(text)].flatMap(({ index, 1: template, 2: string = "" }) => {
    if (!sqlStatement.test(template ?? string)) return [];
    const sql = withoutLiterals(template ?? string);
    const found = keywords.exec(sql);
    if (found === null) return [];
    const problem = `write the SQL keyword ${found[0]} in lower case`;
    return [{ line: lineAt(index + 1 + found.index), problem }];
  });
  const events = [...source.matchAll(logCall)].flatMap(({ index, 2: name = "" }) => {
    // An interpolated part counts as one word.
    const plain = name.replace(/\$\{[^}]*\}/g, "x");
    if (eventName.test(plain)) return [];
    return [{ line: lineAt(index), problem: `name the log event "${name}" noun.verb_in_words` }];
  });
  const exposed = [...source.matchAll(logFields)].flatMap(({ index, 1: fields = "" }) => {
    const name = privateField.exec(fields)?.[1];
    return name === undefined
      ? []
      : [{ line: lineAt(index), problem: `do not log "${name}": it is personal or secret` }];
  });
  const constants = [...source.matchAll(shoutedConstant)].map(({ index, 1: name }) => ({
    line: lineAt(index),
    problem: `name the constant ${name} in camelCase`,
  }));
  return [...shouted, ...constants, ...events, ...exposed].sort((a, b) => a.line - b.line);
}

/** Blanks out string literals, quoted names, interpolations and comments, so that positions stay. */
function withoutLiterals(sql: string): string {
  return sql.replace(/'(?:[^']|'')*'|"[^"]*"|\$\{[^}]*\}|--[^\n]*/g, (text) =>
    " ".repeat(text.length),
  );
}

/** The production sources of the repository. */
export function productionSources(root: string): string[] {
  const patterns = ["packages/*/src/*.ts", "web/src/*.ts", "scripts/*.ts"];
  const files = execFileSync("git", ["ls-files", "--", ...patterns], { cwd: root }).toString();
  return files.split("\n").filter((file) => file !== "" && !file.endsWith(".test.ts"));
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  for (const file of productionSources(root)) {
    for (const { line, problem } of styleProblems(readFileSync(join(root, file), "utf8"))) {
      process.stderr.write(`${file}:${line}: ${problem}\n`);
      process.exitCode = 1;
    }
  }
}
