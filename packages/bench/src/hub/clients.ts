/** The clients: some of the sockets, in a process of their own. */
import { withTimeout } from "@smartcart/runtime";
import { serveCommands } from "./commands.ts";
import type { SocketKind } from "./sockets.ts";
import { openSocket } from "./sockets.ts";
import type { Arrival, Faults } from "./watch.ts";
import { createWatch, historyLength } from "./watch.ts";

/** The statuses that one process received since the last command `listen`. */
export interface ClientReport extends Faults {
  readonly statuses: number;
  /** From publish to arrival, in milliseconds, of each status. */
  readonly delaysMs: readonly number[];
  /** Sockets that were closed, by the reason. */
  readonly lost: Readonly<Record<string, number>>;
}

/** The result of connecting many sockets at once. */
export interface ConnectResult {
  /** From the beginning until a socket had all that is stored, in milliseconds, of each that got so far. */
  readonly caughtUpMs: readonly number[];
  /** Connections that failed or broke and were tried again, by the reason. */
  readonly retries: Readonly<Record<string, number>>;
}

interface ConnectOptions {
  /** Orders that exist, all of them shipped. */
  readonly orders: number;
  /** Sockets that connect at once; the next one begins when one has caught up. */
  readonly atOnce: number;
  readonly timeoutMs: number;
}

const retryPauseMs = 500;

const kind = process.env.BENCH_SOCKETS as SocketKind;
const url = process.env.BENCH_URL ?? "";
const users = Number(process.env.BENCH_USERS);
const first = Number(process.env.BENCH_FIRST_USER);
const count = Number(process.env.BENCH_COUNT);

const watch = createWatch(users);
let before = { statuses: 0, misdelivered: 0, disordered: 0 };
let delaysMs: number[] = [];
let lost: Record<string, number> = {};
/** Closed sockets of an earlier `connect` are ignored. */
let generation = 0;

/** Opens all sockets and waits until each has the history of its user. */
async function connect({ orders, atOnce, timeoutMs }: ConnectOptions): Promise<ConnectResult> {
  const mine = ++generation;
  const caughtUpMs: number[] = [];
  const retries: Record<string, number> = {};
  const done = Promise.withResolvers<void>();
  const startedAtMs = performance.now();
  let next = first;

  function open(user: number): void {
    const wanted = historyLength(user, users, orders);
    let caughtUp = false;
    let gone = false;
    watch.restart(user);
    openSocket({
      kind,
      url,
      user,
      onStatus(arrival) {
        take(user, arrival);
        if (caughtUp || watch.statusesOf(user) < wanted) return;
        caughtUp = true;
        caughtUpMs.push(performance.now() - startedAtMs);
        if (caughtUpMs.length === count) done.resolve();
        openNext();
      },
      onLost(reason) {
        // A failed connection may be reported twice.
        if (mine !== generation || gone) return;
        gone = true;
        note(caughtUp ? lost : retries, reason);
        if (!caughtUp) setTimeout(() => open(user), retryPauseMs);
      },
    });
  }

  function openNext(): void {
    if (next < first + count) open(next++);
  }

  for (let begun = 0; begun < Math.min(atOnce, count); begun += 1) openNext();
  await withTimeout(done.promise, timeoutMs, () => {});
  return { caughtUpMs, retries };
}

function take(user: number, arrival: Arrival): void {
  watch.take(user, arrival);
  delaysMs.push(Date.now() - Date.parse(arrival.occurredAt));
}

function note(counts: Record<string, number>, reason: string): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}

serveCommands({
  connect,
  /** Everything that was sent so far is forgotten. */
  listen() {
    before = { statuses: watch.statuses, ...watch.faults };
    delaysMs = [];
    lost = {};
  },
  count: () => watch.statuses - before.statuses,
  report(): ClientReport {
    return {
      statuses: watch.statuses - before.statuses,
      misdelivered: watch.faults.misdelivered - before.misdelivered,
      disordered: watch.faults.disordered - before.disordered,
      delaysMs,
      lost,
    };
  },
  /** The server will end: its sockets are not missed. */
  release() {
    generation += 1;
  },
});
