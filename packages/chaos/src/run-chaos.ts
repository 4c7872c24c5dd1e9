/** One run: start everything, let customers and faults loose, heal, wait for rest, and hold the promises against what is there. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import type { BrokerAdmin } from "./broker-admin.ts";
import { openBrokerAdmin } from "./broker-admin.ts";
import type { Facts } from "./facts.ts";
import { storeFacts } from "./facts.ts";
import type { RunningFaults } from "./faults.ts";
import { startFaults } from "./faults.ts";
import type { ClientHistory } from "./history.ts";
import { openHistory } from "./history.ts";
import type { Infrastructure } from "./infrastructure.ts";
import { invariants } from "./invariants.ts";
import type { LoadFindings, LoadMix, RunningLoad } from "./load.ts";
import { startLoad } from "./load.ts";
import type { FaultKind, PlannedFault } from "./plan.ts";
import type { Random } from "./random.ts";
import type { Report, Violation } from "./report.ts";
import type { Rest } from "./settle.ts";
import { waitForRest } from "./settle.ts";
import { createShopper } from "./shopper.ts";
import { tellStory } from "./story.ts";
import type { Replicas, System } from "./system.ts";
import { startSystem } from "./system.ts";
import type { Sighting } from "./watcher.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly random: Random;
  readonly infrastructure: Infrastructure;
  /** Logs and histories are written there. */
  readonly directory: string;
  readonly replicas: Replicas;
  readonly plan: readonly PlannedFault[];
  readonly kinds: readonly FaultKind[];
  readonly orders: number;
  readonly ratePerSecond: number;
  readonly mix: LoadMix;
  /** Modules to load into every part. */
  readonly preload: readonly string[];
  /** Longest time to rest after the last fault, in milliseconds. */
  readonly restBoundMs: number;
  /** Gives up earlier where nothing has changed for so long, in milliseconds. Default: it does not. */
  readonly stuckMs?: number;
  /** Least share of orders that must be accepted. */
  readonly minAccepted: number;
  /** Called twice a second with how it goes. */
  readonly onProgress: (line: string) => void;
}

const shownRows = 20;
const toldStories = 3;

export async function runChaos(o: ChaosOptions): Promise<Report> {
  await mkdir(o.directory, { recursive: true });
  await using system = await startSystem(o);
  await using admin = await openBrokerAdmin(o.infrastructure.broker);
  await using history = await openHistory(join(o.directory, "client-history.jsonl"));
  const unknown = new Map<string, number>();
  const giveUp = new AbortController();
  const endWatching = new AbortController();

  const startedAt = performance.now();
  const shopper = createShopper({
    url: system.orderUrl,
    history,
    signal: giveUp.signal,
    onUnknown: (why) => void unknown.set(why, (unknown.get(why) ?? 0) + 1),
  });
  const load = startLoad({
    orders: o.orders,
    ratePerSecond: o.ratePerSecond,
    mix: o.mix,
    random: o.random.fork("load"),
    shopper,
    hubUrl: o.replicas["status-hub"] > 0 ? system.hubUrl : undefined,
    signal: endWatching.signal,
  });
  const faults = startFaults(o.plan, { system, admin });
  const progress = setInterval(() => o.onProgress(progressLine(o, startedAt, load, faults)), 500);
  await using _ = { [Symbol.asyncDispose]: async () => clearInterval(progress) };

  await faults.finished;
  const healedAt = performance.now();
  for (const link of system.links.values()) link.heal();
  const recovery = system
    .ready(o.restBoundMs)
    .then((late) => ({ late, readyMs: performance.now() - healedAt }));
  // The dust settles from the last fault or the last new customer on, whichever is later; nobody waits longer than that.
  await load.allSent;
  const calmAt = Math.max(healedAt, load.progress.lastSentAt);
  const leftMs = () => Math.max(0, calmAt + o.restBoundMs - performance.now());
  const patience = setTimeout(() => giveUp.abort(), leftMs());
  await load.finished;
  clearTimeout(patience);
  const loadMs = performance.now() - startedAt;

  await using database = adminDatabase(o.infrastructure);
  const rest = await waitForRest(database, admin, {
    boundMs: leftMs(),
    stuckMs: o.stuckMs ?? o.restBoundMs,
  });
  const restMs = performance.now() - calmAt;
  const { late, readyMs } = await recovery;
  const sightings = await collectSightings(load.findings, endWatching);
  const facts = await gatherFacts({ system, admin, load, faults, rest, sightings });
  await storeFacts(database, facts);

  const violations = [...lateParts(late), ...(await findViolations(database))];
  const states = await countStates(database);
  const accepted = ((states.SHIPPED ?? 0) + (states.CANCELLED ?? 0)) / o.orders;
  const enough = accepted >= o.minAccepted;
  return {
    seed: o.seed,
    orders: o.orders,
    loadMs,
    answers: Object.fromEntries(load.progress.answers),
    unknown: Object.fromEntries(unknown),
    states,
    accepted,
    minAccepted: o.minAccepted,
    waitedMs: percentiles(load.progress.tookMs),
    faults: faults.records,
    notRun: findNotRun(o, faults),
    readyMs,
    restMs,
    restBoundMs: o.restBoundMs,
    watched: sightings.length,
    resyncs: sightings.reduce((sum, { resyncs }) => sum + resyncs, 0),
    reconnects: sightings.reduce((sum, { connections }) => sum + connections - 1, 0),
    replays: load.findings.replays.length,
    gaveUp: system.gaveUp,
    invariants: invariants.map(({ name }) => name),
    violations,
    stories: await tellStories(database, violations, history),
    passed: violations.length === 0 && rest.isComplete && enough,
  };
}

function adminDatabase({ database }: Infrastructure): Database {
  return createDatabase({
    url: database.url,
    schema: "orders",
    log: silentLogger,
    maxConnections: 2,
  });
}

function progressLine(
  { orders }: ChaosOptions,
  startedAt: number,
  { progress }: RunningLoad,
  faults: RunningFaults,
): string {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  const now = [...faults.now].map(({ kind, target }) => (target ? `${kind} ${target}` : kind));
  const confirmed = progress.answers.get("CONFIRMED") ?? 0;
  return (
    `${seconds} s  sent ${progress.sent}/${orders}  answered ${progress.answered}  confirmed ${confirmed}  ` +
    `waiting ${progress.inFlight}  faults ${faults.records.length}  now: ${now.join(", ") || "none"}`
  );
}

/** Watchers get a few seconds more than the orders: the last status has to travel. */
async function collectSightings(
  { watching }: LoadFindings,
  endWatching: AbortController,
): Promise<Sighting[]> {
  const all = Promise.all(watching);
  await Promise.race([all, sleep(15_000, undefined, { ref: false })]);
  endWatching.abort();
  return all;
}

async function gatherFacts(it: {
  readonly system: System;
  readonly admin: BrokerAdmin;
  readonly load: RunningLoad;
  readonly faults: RunningFaults;
  readonly rest: Rest;
  readonly sightings: readonly Sighting[];
}): Promise<Facts> {
  const { placed, cancelled, replays } = it.load.findings;
  const answers = [
    ...placed.map(({ wish, answer }) => ({
      operation: "place",
      key: wish.key,
      orderId: "",
      answer,
    })),
    ...cancelled.map(({ orderId, answer }) => ({
      operation: "cancel",
      key: keyOf(orderId),
      orderId,
      answer,
    })),
  ];
  function keyOf(orderId: string): string {
    return placed.find(({ answer }) => answer?.orderId === orderId)?.wish.key ?? "";
  }
  const restSequences = await Promise.all(
    it.sightings.map(({ orderId }) => readSequence(it.system.orderUrl, orderId)),
  );
  const lines = (await readFile(it.system.shippingLog, "utf8").catch(() => "")).split("\n");
  const sent = it.faults.records.filter(({ kind }) => kind === "poison");
  return {
    answers: answers.flatMap(({ operation, key, orderId, answer }) =>
      answer ? [{ operation, key, orderId: answer.orderId || orderId, says: answer.says }] : [],
    ),
    unanswered: answers.flatMap(({ operation, key, orderId, answer }) =>
      answer ? [] : [{ operation, key, orderId }],
    ),
    replays,
    sightings: it.sightings.map((sighting, index) => ({
      ...sighting,
      restSequence: restSequences[index],
    })),
    poison: sent.flatMap((fault) =>
      [0, 1, 2, 3].map((index) => {
        const messageId = `poison-${fault.target}-${fault.atMs}-${index}`;
        return { messageId, confirmed: it.faults.poison.includes(messageId) };
      }),
    ),
    deadLetters: await it.admin.deadLetters(),
    startLines: lines.flatMap(
      (line) => /Shipping started for OrderId: (\S+)/.exec(line)?.[1] ?? [],
    ),
    messagesWaiting: it.rest.messagesWaiting,
  };
}

async function readSequence(url: string, orderId: string): Promise<number | undefined> {
  const response = await fetch(`${url}/orders/${orderId}`, { signal: AbortSignal.timeout(10_000) });
  return ((await response.json()) as { lastSequence?: number }).lastSequence;
}

async function findViolations(database: Database): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const { name, promise, sql } of invariants) {
    const { rows } = await database.query<object>({ text: sql });
    if (rows.length === 0) continue;
    violations.push({
      invariant: name,
      promise,
      count: rows.length,
      rows: rows.slice(0, shownRows),
    });
  }
  return violations;
}

function lateParts(late: readonly string[]): Violation[] {
  if (late.length === 0) return [];
  const promise = "Every part that runs is ready again soon after the last fault.";
  const rows = late.map((part) => ({ part }));
  return [{ invariant: "every part recovers", promise, count: late.length, rows }];
}

async function countStates(database: Database): Promise<Record<string, number>> {
  const { rows } = await database.query<{ state: string; count: number }>({
    text: "select state, count(*)::int as count from orders.orders group by state",
  });
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

async function tellStories(
  database: Database,
  violations: readonly Violation[],
  history: ClientHistory,
): Promise<string[][]> {
  const ids = violations.flatMap(({ rows }) =>
    rows.map((row) => (row as { order_id?: string | null }).order_id ?? ""),
  );
  const distinct = [...new Set(ids.filter((id) => id.startsWith("ORD-")))].slice(0, toldStories);
  return Promise.all(distinct.map((id) => tellStory(database, id, history)));
}

function percentiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function findNotRun({ kinds, plan }: ChaosOptions, faults: RunningFaults): Report["notRun"] {
  const done = new Set(
    faults.records.filter((one) => one.outcome === "done").map((one) => one.kind),
  );
  const why = (kind: FaultKind) => {
    const failed = faults.records.find((one) => one.kind === kind);
    if (failed) return failed.note;
    return plan.some((one) => one.kind === kind)
      ? "it was not begun"
      : "the run was too short for it";
  };
  return Object.fromEntries(
    kinds.filter((kind) => !done.has(kind)).map((kind) => [kind, why(kind)]),
  );
}
