/** The soak: honest customers during the whole run, and one attack after the other. */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { delay } from "@smartcart/runtime";
import { waitFor } from "@smartcart/testkit";
import type { AttackName } from "./attacks.ts";
import type { Placed } from "./customers.ts";
import type { Holdings, Rest } from "./gauges.ts";
import { mapValues, readCpu, readRest, watchPeaks } from "./gauges.ts";
import type { Answers, HonestCustomers, Tally } from "./honest.ts";
import { startHonestCustomers } from "./honest.ts";
import { watchReadiness } from "./readiness.ts";
import type { Queue, Shop } from "./shop.ts";
import { startShop } from "./shop.ts";

interface SoakOptions {
  /** The database and the broker keep their data there. */
  readonly directory: string;
  readonly queue: Queue;
  readonly attacks: readonly AttackName[];
  /** Of each attack in each round. */
  readonly seconds: number;
  /** How often each attack alternates with a pause. Default 1. */
  readonly rounds?: number;
  /** Honest orders per second. */
  readonly rate: number;
  /** How long a probe of readiness may take, in milliseconds. Default: as long as a balancer waits, 5,000. */
  readonly patienceMs?: number;
  readonly onProgress: (line: string) => void;
}

/** The results of one attack. */
export interface AttackResult {
  readonly attack: AttackName;
  /** Connections, by what they are. */
  readonly sent: Readonly<Record<string, number>>;
  readonly honestBefore: Answers;
  readonly honestDuring: Answers;
  readonly before: Rest;
  readonly peak: Holdings;
  readonly after: Rest;
  /** From the end of the attack until descriptors and memory were released; undefined: they were not in time. */
  readonly backAfterMs: number | undefined;
  /** Processors in use on average during the attack, by process. */
  readonly processors: Readonly<Record<string, number>>;
}

export interface SoakResult {
  readonly options: Omit<SoakOptions, "onProgress" | "directory" | "patienceMs">;
  readonly attacks: readonly AttackResult[];
  /** Probes that did not answer 200, with the time of the run in seconds. */
  readonly unready: readonly string[];
  /** How the shop ended, where it did. */
  readonly ended: number | string | undefined;
  readonly orders: number;
  /** Orders that got no answer, are not stored, or were not shipped. */
  readonly lost: readonly string[];
}

/** Longest time until descriptors and memory are released after an attack. */
const backWithinMs = 60_000;
/**
 * What may be left. Descriptors: the customers' connections and those of the pools to the database come and go with the load.
 * Memory: prepared statements, compiled code and the metrics of routes and statuses first seen during an attack stay, once.
 */
export const tolerance = { descriptors: 64, liveBytes: 32 * 1024 * 1024 } as const;

/** Owns the shop and the customers. Resolves with the failures in the result; rejects only if the shop does not start. */
export async function runSoak(o: SoakOptions): Promise<SoakResult> {
  await using shop = await startShop(o.directory, o.queue);
  let ended: number | string | undefined;
  let isOver = false;
  void shop.process.exited.then((code) => {
    if (!isOver) ended = code;
  });
  using readiness = watchReadiness(shop.probes, o.patienceMs ?? 5_000);
  const customers = startHonestCustomers(shop, o.rate);
  o.onProgress(`the shop runs, with ${o.rate} orders per second`);
  // Warm-up: the first orders compile code and open connections.
  await delay(calmMsOf(o) * 2);
  const attacks: AttackResult[] = [];
  for (const attack of o.attacks) {
    if (ended !== undefined) break;
    o.onProgress(`${attack}: ${o.seconds} s`);
    attacks.push(await runAttack(attack, { shop, customers, o }));
  }
  const placed = await customers.finish();
  const lost = ended === undefined ? await findLost(shop, placed) : [];
  isOver = true;
  const { queue, attacks: names, seconds, rounds = 1, rate } = o;
  const options = { queue, attacks: names, seconds, rounds, rate };
  return { options, attacks, unready: readiness.failures(), ended, orders: placed.length, lost };
}

/** Pause between an attack and the calm after it: connections that it left are closed then. */
const settleMs = 2_000;

/** Time for the honest rate before an attack. */
function calmMsOf({ seconds }: SoakOptions): number {
  return Math.min(20, seconds) * 1_000;
}

interface Scene {
  readonly shop: Shop;
  readonly customers: HonestCustomers;
  readonly o: SoakOptions;
}

async function runAttack(attack: AttackName, scene: Scene): Promise<AttackResult> {
  const { shop, customers, o } = scene;
  const [calm, busy] = [customers.tally(), customers.tally()];
  await calm.during(calmMsOf(o));
  const before = await readRest(shop, customers.pid);
  using peaks = watchPeaks(shop, customers.pid);
  const sent: Record<string, number> = {};
  const cpuMs: Record<string, number> = {};
  const rounds = o.rounds ?? 1;
  for (let round = 1; round <= rounds; round += 1) {
    await attackOnce(attack, scene, { busy, sent, cpuMs });
    if (round === rounds) break;
    await delay(settleMs);
    await calm.during(calmMsOf(o));
  }
  const processors = Object.fromEntries(
    Object.entries(cpuMs).map(([name, ms]) => [name, ms / (o.seconds * 1_000 * rounds)]),
  );
  return {
    attack,
    sent,
    honestBefore: calm.answers(),
    honestDuring: busy.answers(),
    before,
    peak: peaks.peak(),
    processors,
    ...(await untilBack(scene, before)),
  };
}

/** One round of the attack; what it costs and sends is added up. */
async function attackOnce(
  attack: AttackName,
  { shop, customers, o }: Scene,
  sums: {
    readonly busy: Tally;
    readonly sent: Record<string, number>;
    readonly cpuMs: Record<string, number>;
  },
): Promise<void> {
  const script = fileURLToPath(new URL("./attacker.ts", import.meta.url));
  const attacker = fork(script, [attack, JSON.stringify(shop.targets)]);
  const pids = { attacker: attacker.pid, customers: customers.pid };
  const cpu = await readCpu(shop, pids);
  await sums.busy.during(o.seconds * 1_000);
  const used = await readCpu(shop, pids);
  addUp(
    sums.cpuMs,
    mapValues(used, (ms, name) => ms - (cpu[name] ?? 0)),
  );
  addUp(sums.sent, await stop(attacker));
}

function addUp(sums: Record<string, number>, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) sums[name] = (sums[name] ?? 0) + value;
}

/** Ends per attack, and returns what it sent. */
async function stop(attacker: ChildProcess): Promise<Record<string, number>> {
  const gone = once(attacker, "exit");
  attacker.send("report");
  const reported = once(attacker, "message") as Promise<[Record<string, number>]>;
  const failed = gone.then(([code]) => {
    throw new Error(`the attack ended by itself with ${code}`);
  });
  const [sent] = await Promise.race([reported, failed]);
  failed.catch(() => {});
  attacker.disconnect();
  await gone;
  return sent;
}

async function untilBack(
  { shop, customers }: Scene,
  before: Rest,
): Promise<Pick<AttackResult, "after" | "backAfterMs">> {
  const startedAt = performance.now();
  for (;;) {
    const after = await readRest(shop, customers.pid);
    const tookMs = performance.now() - startedAt;
    if (isBack(before, after)) return { after, backAfterMs: tookMs };
    if (tookMs > backWithinMs) return { after, backAfterMs: undefined };
    await delay(1_000);
  }
}

function isBack(before: Rest, after: Rest): boolean {
  return (
    after.descriptors <= before.descriptors + tolerance.descriptors &&
    after.liveBytes <= before.liveBytes + tolerance.liveBytes
  );
}

/** Waits until every order is shipped, and returns those that are not. */
async function findLost({ database }: Shop, placed: readonly Placed[]): Promise<string[]> {
  const ids = placed.flatMap(({ orderId }) => orderId ?? []);
  const unanswered = placed.length - ids.length;
  const text = `select id from unnest($1::text[]) as id
    where not exists (select from orders.orders o where o.order_id = id and o.state = 'SHIPPED')`;
  let missing: string[] = [];
  const look = async () => {
    const { rows } = await database.query<{ id: string }>({ text, values: [ids] });
    missing = rows.map(({ id }) => id);
    return missing.length === 0;
  };
  await waitFor(look, { timeoutMs: backWithinMs, intervalMs: 500 }).catch(() => {});
  return unanswered > 0 ? [...missing, `${unanswered} without an answer`] : missing;
}
