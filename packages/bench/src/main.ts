/**
 * `npm run bench`: SmartCart and two peers, in alternating rounds on one machine.
 * `npm run bench -- hub` measures the status hub alone: see `hub/main.ts`.
 */
import { writeFile } from "node:fs/promises";
import { makeTemporaryDirectory, runTool } from "@smartcart/testkit";
import { contenders } from "./contenders.ts";
import { startEngines } from "./engines.ts";
import type { Measurement } from "./measure.ts";
import { measure } from "./measure.ts";
import { modes } from "./modes.ts";
import type { BenchOptions } from "./options.ts";
import { parseOptions, usage } from "./options.ts";
import { table } from "./report.ts";

const print = (text: string) => process.stdout.write(`${text}\n`);

/** @returns the exit code. */
async function run(): Promise<number> {
  const [mode, ...rest] = process.argv.slice(2);
  if (mode !== undefined && Object.hasOwn(modes, mode)) {
    await modes[mode as keyof typeof modes](rest, print);
    return Number(process.exitCode ?? 0);
  }
  const options = parseOptions(process.argv.slice(2));
  if (typeof options === "string") {
    print(options);
    return 2;
  }
  const measurements = await measureAll(options);
  print(`\n${table(measurements)}`);
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify(measurements, undefined, 2)}\n`);
  }
  return 0;
}

async function measureAll(o: BenchOptions): Promise<Measurement[]> {
  await using directory = await makeTemporaryDirectory();
  await using engines = await startEngines(directory.path);
  const measurements: Measurement[] = [];
  for (const name of o.contenders) print(`${name}: ${contenders[name]}`);
  for (let round = 1; round <= o.rounds; round += 1) {
    for (const scenario of o.scenarios) {
      for (const contender of o.contenders) {
        const measurement = await measure(contender, scenario, {
          engines,
          directory: o.profile ?? directory.path,
          seconds: o.seconds,
          warmUpSeconds: o.warmUpSeconds,
          seed: round,
          profile: o.profile !== undefined,
        });
        measurements.push(measurement);
        const rate = measurement.ordersPerSecond.toFixed(0);
        print(`round ${round}: ${contender} ${JSON.stringify(scenario)} ${rate}/s`);
      }
    }
  }
  return measurements;
}

await runTool({ module: import.meta.url, usage, run });
