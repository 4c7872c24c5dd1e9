/** `npm run soak`; options.ts has its options. Exit code 1: the soak failed; 2: the command line is invalid. */
import { writeFile } from "node:fs/promises";
import { makeTemporaryDirectory, runTool } from "@smartcart/testkit";
import type { SoakLine } from "./options.ts";
import { parseSoakLine, soakUsage } from "./options.ts";
import { faultsOf, formatSoak, soakTable } from "./report.ts";
import type { SoakResult } from "./run-soak.ts";
import { runSoak } from "./run-soak.ts";

async function run(line: SoakLine): Promise<boolean> {
  const results: SoakResult[] = [];
  for (const queue of line.queues) {
    await using directory = await makeTemporaryDirectory();
    const result = await runSoak({
      ...line,
      queue,
      directory: directory.path,
      onProgress: (text) => process.stderr.write(`${text}\n`),
    });
    process.stdout.write(`${formatSoak(result)}\n\n`);
    results.push(result);
  }
  process.stdout.write(`${soakTable(results)}\n`);
  if (line.report !== undefined) {
    await writeFile(line.report, `${JSON.stringify(results, null, 2)}\n`);
  }
  return results.every((result) => faultsOf(result).length === 0);
}

await runTool({
  module: import.meta.url,
  usage: soakUsage,
  async run() {
    const line = parseSoakLine(process.argv.slice(2));
    if (!line.help) return (await run(line)) ? 0 : 1;
    process.stdout.write(`${soakUsage}\n`);
    return 0;
  },
});
