/** A release: each process in turn gets SIGTERM, ends, and is started again until it is ready, while customers order. */
import { waitFor } from "@smartcart/testkit";
import type { LoadFindings } from "../load/load.ts";
import { startLoad } from "../load/load.ts";
import { solventMix } from "../load/load-mix.ts";
import { createRandom } from "../random.ts";
import type { CpuMeter } from "../system/cpu-meter.ts";
import { startCpuMeter } from "../system/cpu-meter.ts";
import { openEnvironment } from "../system/environment.ts";
import type { Infrastructure } from "../system/infrastructure.ts";
import type { System } from "../system/system.ts";
import type { Replicas } from "../system/system-topology.ts";
import { invariants } from "../verification/invariants.ts";
import type { Finding, Verdict } from "../verification/report.ts";
import {
  find,
  formatVerdict,
  noProcessGaveUp,
  seconds,
  table,
  withFindings,
} from "../verification/report.ts";
import { verify } from "../verification/verifier.ts";

interface RollingRestartOptions {
  readonly seed: number;
  readonly infrastructure: Infrastructure;
  /** Logs and histories are written there. */
  readonly directory: string;
  readonly replicas: Replicas;
  /** The processes to restart, in this order. */
  readonly instances: readonly string[];
  /** Orders per second. Where the machine cannot take as many, requests wait in the client; the report has the achieved rate. */
  readonly ratePerSecond: number;
  /** Least number of orders; more are sent until the last process is ready. */
  readonly orders: number;
  readonly restBoundMs: number;
  readonly onProgress: (line: string) => void;
}

/** How one process ended and came back. */
interface Restart {
  readonly instance: string;
  /** From SIGTERM to the end of the process. */
  readonly drainMs: number;
  /** 0 after a complete drain; undefined: it had to be killed. */
  readonly exitCode: number | undefined;
  /** From the start until `/readyz` said so; undefined: not in time. */
  readonly readyMs: number | undefined;
}

interface RollingRestartReport extends Verdict {
  readonly restarts: readonly Restart[];
  /** Orders per second that were asked for, and that were sent. */
  readonly ratePerSecond: number;
  readonly achievedRate: number;
  /** CPU time during the load by service, in milliseconds. */
  readonly cpuMs: Readonly<Record<string, number>>;
}

/** An instance ends within ten seconds of SIGTERM; the rest is for a busy machine. */
const stopBoundMs = 20_000;
const readyBoundMs = 60_000;
/** Long, so that only broken connections and errors cause a repetition. */
const requestTimeoutMs = 30_000;

/** Expects that every process drains with exit code 0 and comes back, no order is rejected, and no request needs two repetitions. */
export async function runRollingRestart(o: RollingRestartOptions): Promise<RollingRestartReport> {
  await using environment = await openEnvironment({ ...o, preload: [] });
  const { system, history } = environment;
  const cpu = await startCpuMeter(system);
  let rolling = true;
  const load = startLoad({
    url: system.orderUrl,
    history,
    orders: o.orders,
    goesOn: () => rolling,
    ratePerSecond: o.ratePerSecond,
    mix: solventMix,
    random: createRandom(o.seed).fork("load"),
    hubUrl: o.replicas["status-hub"] > 0 ? system.hubUrl : undefined,
    requestTimeoutMs,
  });
  const restarts: Restart[] = [];
  for (const instance of o.instances) {
    o.onProgress(`${load.progress.sent} orders sent, restarting ${instance}`);
    restarts.push(await restart(instance, system, cpu));
  }
  rolling = false;
  const calmSince = performance.now();
  await load.allSent;
  const { sent, startedAt, lastSentAt } = load.progress;
  const achievedRate = ((sent - 1) * 1_000) / (lastSentAt - startedAt);
  await load.finished;
  const cpuMs = await cpu.total();
  const { seed, restBoundMs, ratePerSecond } = o;
  const verdict = await verify(environment, {
    seed,
    load,
    invariants: invariants,
    calmSince,
    restBoundMs,
  });
  const found = [
    noProcessGaveUp(verdict),
    ...invariantsOfRestarts(restarts),
    ...invariantsOfAnswers(load.findings, verdict),
  ];
  return { ...withFindings(verdict, found), restarts, ratePerSecond, achievedRate, cpuMs };
}

async function restart(name: string, system: System, cpu: CpuMeter): Promise<Restart> {
  const instance = system.instances.get(name);
  if (instance === undefined) throw new Error(`there is no instance ${name}`);
  await cpu.instanceEnds(instance);
  const { exitCode, tookMs: drainMs } = await instance.stop(stopBoundMs);
  const startedAt = performance.now();
  await instance.start();
  system.retarget();
  const readyMs = await waitFor(() => instance.isReady(), { timeoutMs: readyBoundMs }).then(
    () => performance.now() - startedAt,
    () => undefined,
  );
  return { instance: name, drainMs, exitCode, readyMs };
}

function invariantsOfRestarts(restarts: readonly Restart[]): Finding[] {
  return [
    find(
      "every process drains",
      "A process ends with exit code 0 within the bound after SIGTERM.",
      restarts.filter(({ exitCode }) => exitCode !== 0),
    ),
    find(
      "every process comes back",
      "A process that was started again is ready within a minute.",
      restarts.filter(({ readyMs }) => readyMs === undefined),
    ),
  ];
}

/** Exported for its test. */
export function invariantsOfAnswers(
  { repeated, placed }: Pick<LoadFindings, "repeated" | "placed">,
  { states }: Pick<Verdict, "states">,
): Finding[] {
  const rejected = placed.flatMap(({ wish: { key }, answer }) =>
    answer && answer.httpStatus >= 300 ? [{ key, says: answer.says }] : [],
  );
  const { SHIPPED = 0, CANCELLED = 0, ...others } = states;
  return [
    find(
      "one repetition is enough",
      "A request that gets no answer, or a 5xx, gets one when it is sent once more with the same key.",
      repeated.filter(({ reasons }) => reasons.length > 1),
    ),
    find(
      "no order is rejected",
      "Every payment succeeds and stock never runs out: every order is confirmed.",
      [...rejected, ...Object.entries(others).map(([state, count]) => ({ state, count }))],
    ),
  ];
}

/** The report in one line. */
export function summarizeRollingRestart(report: RollingRestartReport): string {
  const again = Object.values(report.unknown).reduce((sum, count) => sum + count, 0);
  return (
    `rolling restart, seed ${report.seed}: ${report.orders} orders, ${report.restarts.length} processes, ` +
    `${again} requests sent again, at rest after ${seconds(report.restMs)}`
  );
}

/** The report as text. */
export function formatRollingRestart(report: RollingRestartReport): string {
  const cpu = Object.entries(report.cpuMs).map(([name, ms]) => [name, (ms / 1_000).toFixed(1)]);
  const total = Object.values(report.cpuMs).reduce((sum, ms) => sum + ms, 0);
  return formatVerdict(report, [
    `rate         ${report.achievedRate.toFixed(0)} orders per second, ${report.ratePerSecond} asked for`,
    `processors   ${(total / report.loadMs).toFixed(2)} busy on average`,
    "",
    ...table("CPU seconds", Object.fromEntries(cpu)),
    "restart             drained   exit code  ready again",
    ...report.restarts.map(({ instance, drainMs, exitCode, readyMs }) => {
      const ready = readyMs === undefined ? "never" : seconds(readyMs);
      const code = exitCode === undefined ? "killed" : `${exitCode}`;
      return `  ${instance.padEnd(18)}${seconds(drainMs).padEnd(10)}${code.padEnd(11)}${ready}`;
    }),
    "",
  ]);
}
