/** `npm run bench -- unary`: the overhead of the mesh for a unary call, compared with Connect's own adapter. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cpuMsOf, freePorts, waitFor } from "@smartcart/testkit";
import { startProcess } from "../processes.ts";
import { body, loadGrpc, loadJson, path } from "./load.ts";

const kinds = ["bare", "mesh"] as const;
type Kind = (typeof kinds)[number];
const protocols = { grpc: loadGrpc, json: loadJson };
type Protocol = keyof typeof protocols;

interface Measurement {
  readonly kind: Kind;
  readonly protocol: Protocol;
  readonly callsPerSecond: number;
  /** User and system time of the server, in microseconds. */
  readonly cpuUsPerCall: number;
}

interface Options {
  readonly seconds: number;
  readonly directory: string;
  readonly profile: boolean;
}

/** Runs the rounds, prints the medians and their ratios, and writes the measurements where `--json FILE` asks for it. */
export async function runUnary(args: string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "5" },
      json: { type: "string" },
      profile: { type: "string" },
    },
  });
  const temporary = await mkdtemp(join(tmpdir(), "smartcart-bench-"));
  const measurements: Measurement[] = [];
  const options = {
    seconds: Number(values.seconds),
    directory: values.profile ?? temporary,
    profile: values.profile !== undefined,
  };
  await mkdir(options.directory, { recursive: true });
  try {
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      for (const protocol of ["grpc", "json"] as const) {
        // Whoever comes second finds a warmer machine, or a throttled one.
        for (const kind of round % 2 === 1 ? kinds : kinds.toReversed()) {
          const measurement = await measure(kind, protocol, options);
          measurements.push(measurement);
          print(`round ${round}: ${JSON.stringify(measurement)}`);
        }
      }
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  print(report(measurements));
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify(measurements, undefined, 2)}\n`);
  }
}

async function measure(kind: Kind, protocol: Protocol, o: Options): Promise<Measurement> {
  const [grpcPort = 0, other = 0] = await freePorts(2);
  const jsonPort = kind === "mesh" ? grpcPort : other;
  const name = `${kind}-${protocol}`;
  const profile = [
    "--cpu-prof",
    `--cpu-prof-dir=${o.directory}`,
    `--cpu-prof-name=${name}.cpuprofile`,
  ];
  const script = "packages/bench/src/unary/server.ts";
  await using server = startProcess({
    name,
    args: [...(o.profile ? profile : []), script, kind, String(grpcPort), String(jsonPort)],
    env: {},
    logFile: join(o.directory, `${name}.log`),
  });
  await untilAnswers(jsonPort);
  const load = protocols[protocol];
  const port = protocol === "grpc" ? grpcPort : jsonPort;
  await load(port, 2, o.directory);
  const before = await cpuMsOf([server.pid]);
  const { calls, callsPerSecond } = await load(port, o.seconds, o.directory);
  const cpuUsPerCall = (((await cpuMsOf([server.pid])) - before) * 1000) / calls;
  return { kind, protocol, callsPerSecond, cpuUsPerCall };
}

/** Both have to say the same, else they are not comparable. */
async function untilAnswers(port: number): Promise<void> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body };
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return (await answer.json()) as { readonly available?: number };
  };
  await waitFor(async () => (await ask().catch(() => undefined))?.available === 1_000_000, {
    timeoutMs: 60_000,
    what: "the server to answer",
  });
}

function report(measurements: readonly Measurement[]): string {
  const value = (kind: Kind, protocol: Protocol, key: "callsPerSecond" | "cpuUsPerCall") =>
    median(
      measurements.filter((m) => m.kind === kind && m.protocol === protocol).map((m) => m[key]),
    );
  const rows = (["grpc", "json"] as const).map((protocol) => {
    const of = (key: "callsPerSecond" | "cpuUsPerCall") =>
      [value("bare", protocol, key), value("mesh", protocol, key)] as const;
    const [bareRate, rate] = of("callsPerSecond");
    const [bareCpu, cpu] = of("cpuUsPerCall");
    const [rates, cpus] = [(rate / bareRate).toFixed(2), (bareCpu / cpu).toFixed(2)];
    return `| ${protocol} | ${bareRate.toFixed(0)} | ${rate.toFixed(0)} | ${rates} | ${bareCpu.toFixed(0)} µs | ${cpu.toFixed(0)} µs | ${cpus} |`;
  });
  const head =
    "| | bare, calls/s | mesh, calls/s | ratio | bare, CPU a call | mesh, CPU a call | ratio |";
  return ["", head, "|---|---|---|---|---|---|---|", ...rows].join("\n");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
