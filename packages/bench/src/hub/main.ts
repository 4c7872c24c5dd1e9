/** `npm run bench -- hub`: the status hub beside socket.io, in alternating rounds on one machine. */
import { readFile, writeFile } from "node:fs/promises";
import { StartError } from "@smartcart/runtime";
import { makeTemporaryDirectory } from "@smartcart/testkit";
import { startEngines } from "../engines.ts";
import { hubContenders } from "./contenders.ts";
import { measureHub } from "./measure.ts";
import type { HubBenchOptions } from "./options.ts";
import { parseHubOptions } from "./options.ts";
import { hubTable } from "./report.ts";
import type { HubMeasurement } from "./result.ts";

const print = (text: string) => process.stdout.write(`${text}\n`);

/** Returns the exit code. */
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
  await using directory = await makeTemporaryDirectory();
  await using engines = await startEngines(directory.path);
  const measurements: HubMeasurement[] = [];
  for (const name of o.contenders) print(`${name}: ${hubContenders[name]}`);
  for (let round = 1; round <= o.rounds; round += 1) {
    for (const contender of o.contenders) {
      const measurement = await measureHub(contender, {
        ...o,
        engines,
        directory: o.profile ?? directory.path,
        profile: o.profile !== undefined,
      });
      measurements.push(measurement);
      print(`round ${round}: ${JSON.stringify(measurement)}`);
    }
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
