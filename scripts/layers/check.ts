/**
 * Fails when an import goes against the layers: `node scripts/layers/check.ts [root]`.
 * Prints one line for each violation, and how much was read.
 */
import { join, resolve } from "node:path";
import { cruiseLayers } from "./cruise-layers.ts";

const root = resolve(process.argv[2] ?? join(import.meta.dirname, "../.."));
const report = await cruiseLayers(root);

for (const { rule, from, to, why } of report.violations) {
  console.error(`${rule}: ${from} -> ${to}\n  ${why}`);
}
for (const file of report.filesMissed) console.error(`not read: ${file}`);
console.log(`layers: ${report.modulesRead} modules read, ${report.violations.length} violations`);

const sound = report.modulesRead > 0 && report.filesMissed.length === 0;
process.exitCode = sound && report.violations.length === 0 ? 0 : 1;
