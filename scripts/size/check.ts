/**
 * Fails where a file or a function is longer than its bound (`measure.ts`), unless it is an exception, and where an exception is
 * not needed any more: `node scripts/size/check.ts`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exceptions } from "./exceptions.ts";
import { measure } from "./measure.ts";

const root = join(import.meta.dirname, "../..");
const listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
const sources = ["packages/**.ts", "web/**.ts", "scripts/**.ts", ":!scripts/layers/fixture"];
const deleted = pathsOf("ls-files", "-z", "--deleted");
const files = pathsOf(...listed, "--", ...sources).filter((file) => !deleted.includes(file));

const oversized = files.flatMap((file) => measure(file, readFileSync(join(root, file), "utf8")));
const faults = oversized.filter(({ name }) => !exceptions.has(name));
const needed = new Set(oversized.map(({ name }) => name));
const stale = [...exceptions].filter((name) => !needed.has(name));

for (const { name, line, lines, bound } of faults) {
  console.error(`${name}: ${lines} lines from line ${line} on, ${bound} at most`);
}
for (const name of stale) console.error(`${name}: within its bound; remove it from exceptions.ts`);
console.log(
  `size: ${files.length} files read, ${faults.length} too long, ${exceptions.size} exceptions`,
);
process.exitCode = files.length > 0 && faults.length + stale.length === 0 ? 0 : 1;

function pathsOf(...args: string[]): string[] {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
}
