/**
 * `npm run bench`: SmartCart beside the stacks that people would write instead, in alternating rounds on one machine.
 * `npm run bench -- hub` measures the status hub alone: see `hub/main.ts`.
 */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contenders } from "./contenders.ts";
import { startEngines } from "./engines.ts";
import type { Measurement } from "./measure.ts";
import { measure } from "./measure.ts";
import { modes } from "./modes.ts";
import { parseOptions } from "./options.ts";
import { table } from "./report.ts";

const print = (text: string) => process.stdout.write(`${text}\n`);

const [mode, ...rest] = process.argv.slice(2);
if (mode !== undefined && Object.hasOwn(modes, mode)) {
  await modes[mode as keyof typeof modes](rest, print);
  process.exit();
}
const options = parseOptions(process.argv.slice(2));
if (typeof options === "string") {
  print(options);
  process.exit(2);
}
const directory = await mkdtemp(join(tmpdir(), "smartcart-bench-"));
// PostgreSQL runs as another user where this runs as root; that user has to pass through.
await chmod(directory, 0o711);
const measurements: Measurement[] = [];
try {
  await using engines = await startEngines(directory);
  for (const name of options.contenders) print(`${name}: ${contenders[name]}`);
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const scenario of options.scenarios) {
      for (const contender of options.contenders) {
        const measurement = await measure(contender, scenario, {
          engines,
          directory: options.profile ?? directory,
          seconds: options.seconds,
          warmUpSeconds: options.warmUpSeconds,
          seed: round,
          profile: options.profile !== undefined,
        });
        measurements.push(measurement);
        print(
          `round ${round}: ${contender} ${JSON.stringify(scenario)} ${measurement.ordersPerSecond.toFixed(0)}/s`,
        );
      }
    }
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
print(`\n${table(measurements)}`);
if (options.json !== undefined) {
  await writeFile(options.json, `${JSON.stringify(measurements, undefined, 2)}\n`);
}
