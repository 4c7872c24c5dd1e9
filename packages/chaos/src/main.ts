/** `npm run chaos`; options.ts has its options. Exit code 1: an invariant is broken; 2: the command line is invalid. */
import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryDirectory, runTool } from "@smartcart/testkit";
import { createPlan } from "./faults/plan.ts";
import { usualMix } from "./load/load-mix.ts";
import { controlRun, mutantRuns, runMutant } from "./mutants/mutant-runs.ts";
import type { MutantName } from "./mutants/patches.ts";
import type { CommandLine } from "./options.ts";
import { parseCommandLine, usage } from "./options.ts";
import { createRandom } from "./random.ts";
import { formatFlashSale, runFlashSale } from "./scenarios/flash-sale.ts";
import { formatRollingRestart, runRollingRestart } from "./scenarios/rolling-restart.ts";
import { runChaos } from "./scenarios/run-chaos.ts";
import type { Infrastructure } from "./system/infrastructure.ts";
import { startInfrastructure } from "./system/infrastructure.ts";
import { fullReplicas, instanceNames, wholeReplicas } from "./system/system-topology.ts";
import type { Verdict } from "./verification/report.ts";
import { formatReport } from "./verification/report.ts";

const restBoundMs = 60_000;

/** What every run needs, and the command line. */
interface Setting {
  readonly line: CommandLine;
  readonly infrastructure: Infrastructure;
  readonly directory: string;
}

/** False if an invariant is broken. */
async function run(line: CommandLine): Promise<boolean> {
  await using directory = await makeTemporaryDirectory(line.keep);
  print(`seed ${line.seed}, logs in ${directory.path}`);
  await using infrastructure = await startInfrastructure(directory.path);
  const setting = { line, infrastructure, directory: directory.path };
  switch (line.scenario) {
    case "faults":
      return await runFaults(setting);
    case "mutants":
      return await runMutants(setting);
    case "rolling-restart": {
      const { seed, rate: ratePerSecond, orders } = line;
      const replicas = line.whole ? wholeReplicas : fullReplicas;
      const o = {
        ...common(setting),
        replicas,
        instances: instanceNames(replicas),
        orders,
        ratePerSecond,
      };
      const report = await runRollingRestart({ ...o, seed, onProgress: showProgress });
      return await conclude(line, report, formatRollingRestart(report));
    }
    case "flash-sale": {
      const { seed, buyers, units } = line;
      const o = { ...common(setting), replicas: fullReplicas, seed, buyers, units };
      const report = await runFlashSale(o);
      return await conclude(line, report, formatFlashSale(report));
    }
  }
}

function common({ infrastructure, directory }: Setting) {
  return { infrastructure, directory: join(directory, "run"), restBoundMs };
}

async function runFaults(setting: Setting): Promise<boolean> {
  const { seed, orders, rate: ratePerSecond, kinds } = setting.line;
  const random = createRandom(seed);
  const spanMs = (orders / ratePerSecond) * 1_000;
  const replicas = fullReplicas;
  const report = await runChaos({
    ...common(setting),
    seed,
    random,
    replicas,
    plan: createPlan({ random: random.fork("faults"), kinds, spanMs, replicas }),
    kinds,
    orders,
    ratePerSecond,
    mix: usualMix,
    preload: [],
    minAccepted: 0.6,
    onProgress: showProgress,
  });
  return await conclude(setting.line, report, formatReport(report));
}

/** Runs every mutant; false if one is not caught. */
async function runMutants({ infrastructure, directory }: Setting): Promise<boolean> {
  const escaped: string[] = [];
  for (const [name, run] of Object.entries(mutantRuns)) {
    const mutant = name as MutantName;
    const startedAt = performance.now();
    const report = await runMutant({ mutant, run, infrastructure, directory });
    const broken = report.violations.map(({ invariant }) => invariant);
    const isCaught = broken.includes(run.breaks);
    if (!isCaught) escaped.push(name);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    const found = broken.join("; ") || "nothing";
    print(
      `${isCaught ? "caught " : "ESCAPED"}  ${name.padEnd(20)}${seconds.padStart(3)} s  ${found}`,
    );
  }
  const control = { mutant: undefined, run: controlRun, infrastructure, directory };
  const report = await runMutant(control);
  print(report.passed ? "passed   the product itself" : formatReport(report));
  return escaped.length === 0 && report.passed;
}

async function conclude(line: CommandLine, report: Verdict, page: string): Promise<boolean> {
  print(page);
  if (line.report !== undefined)
    await writeFile(line.report, `${JSON.stringify(report, null, 2)}\n`);
  return report.passed;
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

await runTool({
  module: import.meta.url,
  usage,
  async run() {
    const line = parseCommandLine(process.argv.slice(2), randomInt(2 ** 31));
    if (!line.help) return (await run(line)) ? 0 : 1;
    print(usage);
    return 0;
  },
});
