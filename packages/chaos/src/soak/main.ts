/** `npm run soak`: see options.ts. Exit code 1 where something was not as it must be, 2 where it was called wrongly. */
import { writeFile } from "node:fs/promises";
import { makeTemporaryDirectory, UsageError } from "@smartcart/testkit";
import type { SoakLine } from "./options.ts";
import { parseSoakLine, soakUsage } from "./options.ts";
import { faultsOf, formatSoak } from "./report.ts";
import { runSoak } from "./run-soak.ts";

async function run(line: SoakLine): Promise<boolean> {
  await using directory = await makeTemporaryDirectory();
  const result = await runSoak({
    ...line,
    directory: directory.path,
    onProgress: (text) => process.stderr.write(`${text}\n`),
  });
  process.stdout.write(`${formatSoak(result)}\n`);
  if (line.report !== undefined) {
    await writeFile(line.report, `${JSON.stringify(result, null, 2)}\n`);
  }
  return faultsOf(result).length === 0;
}

try {
  const line = parseSoakLine(process.argv.slice(2));
  if (line.help) process.stdout.write(`${soakUsage}\n`);
  else process.exitCode = (await run(line)) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${soakUsage}\n`);
  process.exitCode = 2;
}
