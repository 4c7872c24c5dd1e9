/** `npm run bench -- hub`: the status hub beside socket.io, in alternating rounds on one machine. */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartError } from "@smartcart/runtime";
import { startEngines } from "../engines.ts";
import { hubContenders } from "./contenders.ts";
import { measureHub } from "./measure.ts";
import type { HubBenchOptions } from "./options.ts";
import { parseHubOptions } from "./options.ts";
import { hubTable } from "./report.ts";
import type { HubMeasurement } from "./result.ts";

const print = (text: string) => process.stdout.write(`${text}\n`);

/** Answers the exit code. */
export async function benchHub(args: readonly string[]): Promise<number> {
  const options = parseHubOptions(args);
  if (typeof options === "string") {
    print(options);
    return 2;
  }
  try {
    await needOpenFiles(options.sockets);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    print(error.message);
    return 2;
  }
  const measurements = await measureAll(options);
  print(`\n${hubTable(measurements)}`);
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify(measurements, undefined, 2)}\n`);
  }
  return 0;
}

async function measureAll(o: HubBenchOptions): Promise<HubMeasurement[]> {
  const directory = await mkdtemp(join(tmpdir(), "smartcart-bench-"));
  // PostgreSQL runs as another user where this runs as root; that user has to pass through.
  await chmod(directory, 0o711);
  const measurements: HubMeasurement[] = [];
  try {
    await using engines = await startEngines(directory);
    for (const name of o.contenders) print(`${name}: ${hubContenders[name]}`);
    for (let round = 1; round <= o.rounds; round += 1) {
      for (const contender of o.contenders) {
        const measurement = await measureHub(contender, {
          ...o,
          engines,
          directory: o.profile ?? directory,
          profile: o.profile !== undefined,
        });
        measurements.push(measurement);
        print(`round ${round}: ${JSON.stringify(measurement)}`);
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return measurements;
}

/** What a hub opens beside its sockets. */
const otherFiles = 200;

/** Node raises the soft limit to the hard one by itself, so only the hard one can be too low. */
async function needOpenFiles(sockets: number): Promise<void> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const hard = Number(
    /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY,
  );
  if (hard >= sockets + otherFiles) return;
  throw new StartError(
    `${sockets} sockets need ${sockets + otherFiles} open files in the hub, and this user may have ${hard}. ` +
      `Raise the hard limit (as root: ulimit -n ${sockets + otherFiles}), or give fewer --sockets.`,
  );
}
