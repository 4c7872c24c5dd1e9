/**
 * Fails when `gen/src` is not what `buf generate` writes from the contract now. Writes into a temporary folder, so
 * a working copy with changes is judged as it stands, and not touched.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const fresh = mkdtempSync(join(tmpdir(), "smartcart-gen-"));
try {
  execFileSync("buf", ["generate", "--output", fresh], { cwd: root, stdio: "inherit" });
  const stale = differences(join(root, "gen/src"), join(fresh, "gen/src"));
  for (const line of stale) console.error(line);
  if (stale.length > 0)
    console.error("gen/src is stale: run `npm run generate` and commit what it writes.");
  process.exitCode = stale.length > 0 ? 1 : 0;
} finally {
  rmSync(fresh, { recursive: true });
}

function differences(committed: string, generated: string): string[] {
  const before = filesBelow(committed);
  const after = filesBelow(generated);
  return [...new Set([...before, ...after])].sort().flatMap((file) => {
    if (!after.has(file)) return [`left over: gen/src/${file}`];
    if (!before.has(file)) return [`missing: gen/src/${file}`];
    const same = readFileSync(join(committed, file)).equals(readFileSync(join(generated, file)));
    return same ? [] : [`differs: gen/src/${file}`];
  });
}

function filesBelow(folder: string): Set<string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return new Set(files.map((file) => join(file.parentPath, file.name).slice(folder.length + 1)));
}
