/** `npm run chaos`: see options.ts for what it takes. Exit code 1 where a promise was broken, 2 where it was called wrongly. */
import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startInfrastructure } from "./infrastructure.ts";
import { usualMix } from "./load.ts";
import { controlRun, mutantRuns, runMutant } from "./mutant-runs.ts";
import type { MutantName } from "./mutants/patches.ts";
import type { CommandLine } from "./options.ts";
import { parseCommandLine, UsageError, usage } from "./options.ts";
import { createPlan } from "./plan.ts";
import { createRandom } from "./random.ts";
import type { Report } from "./report.ts";
import { formatReport } from "./report.ts";
import { runChaos } from "./run-chaos.ts";
import { fullReplicas } from "./system.ts";
import { makeTemporaryDirectory } from "./temporary-directory.ts";

const restBoundMs = 60_000;

async function run(line: CommandLine): Promise<Report> {
  const { seed, orders, rate: ratePerSecond, kinds } = line;
  await using directory = await makeTemporaryDirectory(line.keep);
  print(`seed ${seed}, logs in ${directory.path}`);
  await using infrastructure = await startInfrastructure(directory.path);
  const random = createRandom(seed);
  const spanMs = (orders / ratePerSecond) * 1_000;
  const plan = createPlan({ random: random.fork("faults"), kinds, spanMs, replicas: fullReplicas });
  return await runChaos({
    seed,
    random,
    infrastructure,
    directory: join(directory.path, "run"),
    replicas: fullReplicas,
    plan,
    kinds,
    orders,
    ratePerSecond,
    mix: usualMix,
    preload: [],
    restBoundMs,
    minAccepted: 0.6,
    onProgress: showProgress,
  });
}

/** Runs every mutant; false where one got away. */
async function runMutants(keep: boolean): Promise<boolean> {
  await using directory = await makeTemporaryDirectory(keep);
  await using infrastructure = await startInfrastructure(directory.path);
  const escaped: string[] = [];
  for (const [name, expected] of Object.entries(mutantRuns)) {
    const mutant = name as MutantName;
    const startedAt = performance.now();
    const report = await runMutant({
      mutant,
      run: expected,
      infrastructure,
      directory: directory.path,
    });
    const broken = report.violations.map(({ invariant }) => invariant);
    const isCaught = broken.includes(expected.breaks);
    if (!isCaught) escaped.push(name);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    const found = broken.join("; ") || "nothing";
    print(
      `${isCaught ? "caught " : "ESCAPED"}  ${name.padEnd(20)}${seconds.padStart(3)} s  ${found}`,
    );
  }
  const o = { infrastructure, directory: directory.path };
  const control = await runMutant({ mutant: undefined, run: controlRun, ...o });
  print(control.passed ? "passed   the product itself" : formatReport(control));
  return escaped.length === 0 && control.passed;
}

function showProgress(text: string): void {
  // One line that is written over on a terminal; elsewhere, one every ten seconds.
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, 160)}`);
  else if (/^\d*0 s/.test(text) && text !== lastShown) process.stderr.write(`${text}\n`);
  lastShown = text;
}
let lastShown = "";

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  const line = parseCommandLine(process.argv.slice(2), randomInt(2 ** 31));
  if (line.help) {
    print(usage);
  } else if (line.mutants) {
    process.exitCode = (await runMutants(line.keep)) ? 0 : 1;
  } else {
    const report = await run(line);
    print(formatReport(report));
    if (line.report !== undefined)
      await writeFile(line.report, `${JSON.stringify(report, null, 2)}\n`);
    process.exitCode = report.passed ? 0 : 1;
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}\n`);
  process.exitCode = 2;
}
