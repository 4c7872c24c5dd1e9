/** Executes a plan. Each fault undoes itself; when all are over, everything runs again. */
import { fileURLToPath } from "node:url";
import { delay, reasonOf } from "@smartcart/runtime";
import { openAdminDatabase } from "../system/admin-database.ts";
import type { BrokerAdmin } from "../system/broker-admin.ts";
import type { Engine } from "../system/infrastructure.ts";
import type { System } from "../system/system.ts";
import type { PlannedFault } from "./plan.ts";
import type { LinkFault } from "./proxied-link.ts";

/** What became of a planned fault. */
export interface FaultRecord extends PlannedFault {
  /** Done: it was there for its time. Failed: it could not be brought about, or not in full. */
  readonly outcome: "done" | "failed";
  /** What it hit, or why it failed. */
  readonly note: string;
}

/** Grows while the plan is executed. */
export interface RunningFaults {
  readonly records: readonly FaultRecord[];
  /** Those that are in effect now. */
  readonly now: ReadonlySet<PlannedFault>;
  /** Ids of the poison messages that the broker has confirmed. */
  readonly poison: readonly string[];
  /** Resolves when the last one is over and undone. Never rejects. */
  readonly finished: Promise<void>;
}

interface FaultContext {
  readonly system: System;
  readonly admin: BrokerAdmin;
}

const skewedClock = fileURLToPath(new URL("./skewed-clock.ts", import.meta.url));
const hourMs = 3_600_000;

/** Faults of one resource run one after the other, so that one may begin later than planned; those of different resources overlap. */
export function startFaults(plan: readonly PlannedFault[], context: FaultContext): RunningFaults {
  const records: FaultRecord[] = [];
  const now = new Set<PlannedFault>();
  const poison: string[] = [];
  // Serial per resource: a process that is being started again must not be killed at the same time.
  const lastFaults = new Map<string, Promise<void>>();

  const inTurn = (fault: PlannedFault): Promise<void> => {
    const before = lastFaults.get(resourceOf(fault)) ?? Promise.resolve();
    const mine = before.then(async () => {
      now.add(fault);
      try {
        const note = await carryOut(fault, context, poison);
        records.push({ ...fault, outcome: "done", note });
      } catch (error) {
        records.push({ ...fault, outcome: "failed", note: reasonOf(error) });
      }
      now.delete(fault);
    });
    lastFaults.set(resourceOf(fault), mine);
    return mine;
  };

  const finished = Promise.all(
    plan.map(async (fault) => {
      await delay(fault.atMs);
      await inTurn(fault);
    }),
  );
  return { records, now, poison, finished: finished.then(() => {}) };
}

function resourceOf({ kind, target }: PlannedFault): string {
  switch (kind) {
    case "kill-database":
    case "stop-database":
    case "terminate-backends":
    case "lock":
      return "database";
    case "kill-broker":
    case "stop-broker":
    case "alarm":
    case "duplicate":
    case "reorder":
    case "delete-queue":
    case "cancel-consumer":
    case "poison":
      return "broker";
    default:
      return target;
  }
}

/** Returns what it did, for the report. */
async function carryOut(
  fault: PlannedFault,
  { system, admin }: FaultContext,
  poison: string[],
): Promise<string> {
  const { kind, target, durationMs } = fault;
  const { database, broker } = system.infrastructure;
  switch (kind) {
    case "kill-process":
    case "stop-process":
    case "clock":
      return disturbInstance(fault, system);
    case "kill-database":
      return killEngine(database, durationMs, system);
    case "kill-broker":
      return killEngine(broker, durationMs, system);
    case "stop-database":
      return stopEngine(database, durationMs);
    case "stop-broker":
      return stopEngine(broker, durationMs);
    case "reset":
    case "black-hole":
    case "half-open":
    case "latency":
      return disturbLink(fault, system);
    case "duplicate":
      return `${await admin.duplicate(60, "same")} messages`;
    case "reorder": {
      const back = await admin.duplicate(40, "reversed");
      return `${back} copies in reverse, ${await admin.overtake(target, durationMs)} overtaken`;
    }
    case "terminate-backends":
      return terminateBackends(system);
    case "lock":
      return lockTable(target, durationMs, system);
    case "delete-queue":
      return (await admin.deleteQueue(target)) ? "deleted" : "there was none";
    case "cancel-consumer":
      return `${await admin.closeConnections(target.replace(/-\d+$/, ""))} connections`;
    case "alarm": {
      await broker.ctl("set_vm_memory_high_watermark", "0.000001");
      await delay(durationMs);
      await broker.ctl("set_vm_memory_high_watermark", "0.4");
      return "raised and cleared";
    }
    case "poison": {
      const ids = Array.from(
        { length: 4 },
        (_, index) => `poison-${target}-${fault.atMs}-${index}`,
      );
      const taken = await admin.poison(target, ids);
      poison.push(...taken);
      // A message without a confirm may be in the queue or not: it does not count as lost.
      if (taken.length < ids.length) throw new Error(`${ids.length - taken.length} not confirmed`);
      return `${taken.length} messages`;
    }
    default:
      return kind satisfies never;
  }
}

async function disturbInstance(
  { kind, target, durationMs, variant }: PlannedFault,
  system: System,
): Promise<string> {
  const instance = system.instances.get(target);
  if (instance === undefined) throw new Error(`there is no instance ${target}`);
  const startAgain = async (more: Parameters<typeof instance.start>[0] = {}) => {
    await instance.start(more);
    system.retarget();
  };
  if (kind === "stop-process") {
    instance.signal("SIGSTOP");
    await delay(durationMs);
    instance.signal("SIGCONT");
    return "stopped and continued";
  }
  instance.signal("SIGKILL");
  if (kind === "kill-process") {
    await delay(durationMs);
    await startAgain();
    return "killed and started";
  }
  const offsetMs = variant < 0.5 ? -hourMs : hourMs;
  await startAgain({ preload: [skewedClock], env: { CHAOS_CLOCK_OFFSET_MS: String(offsetMs) } });
  await delay(durationMs);
  instance.signal("SIGKILL");
  await startAgain();
  return offsetMs < 0 ? "an hour behind" : "an hour ahead";
}

async function killEngine(engine: Engine, downMs: number, system: System): Promise<string> {
  await engine.kill();
  await delay(downMs);
  const startedAt = performance.now();
  await engine.restart();
  system.retarget();
  return `back after ${Math.round(downMs + performance.now() - startedAt)} ms`;
}

async function stopEngine(engine: Engine, durationMs: number): Promise<string> {
  await engine.pause();
  await delay(durationMs);
  await engine.resume();
  return "stopped and continued";
}

async function disturbLink(
  { kind, target, durationMs, variant }: PlannedFault,
  system: System,
): Promise<string> {
  const link = system.links.get(target);
  if (link === undefined) throw new Error(`there is no link ${target}`);
  link.inject(linkFaultOf(kind, variant));
  await delay(durationMs);
  link.heal();
  return "healed";
}

function linkFaultOf(kind: PlannedFault["kind"], variant: number): LinkFault {
  switch (kind) {
    case "latency":
      return { kind, delayMs: 20 + Math.round(variant * 600) };
    case "black-hole":
      return { kind, direction: variant < 0.5 ? "to-server" : "to-client" };
    case "half-open":
      return { kind };
    default:
      return { kind: "reset" };
  }
}

async function terminateBackends({ infrastructure }: System): Promise<string> {
  await using database = openAdminDatabase(infrastructure);
  const { rowCount } = await database.query({
    text: `select pg_terminate_backend(pid) from pg_stat_activity
           where backend_type = 'client backend' and pid <> pg_backend_pid() and random() < 0.5`,
  });
  return `${rowCount} sessions`;
}

async function lockTable(table: string, durationMs: number, { infrastructure }: System) {
  await using database = openAdminDatabase(infrastructure);
  const client = await database.connect();
  try {
    await client.query("begin");
    await client.query(`lock table ${table} in access exclusive mode`);
    await delay(durationMs);
    await client.query("rollback");
    return `held for ${durationMs} ms`;
  } finally {
    client.release(true);
  }
}
