/** Starts the honest customers, and keeps the results of their orders. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { delay } from "@smartcart/runtime";
import type { Placed } from "./customers.ts";
import type { Shop } from "./shop.ts";
import { product } from "./shop.ts";

const script = fileURLToPath(new URL("./customers.ts", import.meta.url));

/** Orders that were answered within a time. */
export interface Answers {
  /** A second. */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that had to be sent again. */
  readonly repeats: number;
}

/** Counts answers during chosen windows of time. */
export interface Tally {
  /** Counts for so many milliseconds; resolves then. */
  during(ms: number): Promise<void>;
  answers(): Answers;
}

export interface HonestCustomers {
  readonly pid: number;
  /** A new, empty count. */
  tally(): Tally;
  /** Stops sending, waits for the last answers, and returns all orders. */
  finish(): Promise<readonly Placed[]>;
}

export function startHonestCustomers({ targets }: Shop, ratePerSecond: number): HonestCustomers {
  const child = fork(script, [targets.order, product, `${ratePerSecond}`]);
  const { pid } = child;
  if (pid === undefined) throw new Error("the customers could not be started");
  const placed: Placed[] = [];
  child.on("message", (message) => placed.push(message as Placed));
  return {
    pid,
    tally() {
      const seen: Placed[] = [];
      let seconds = 0;
      return {
        async during(ms) {
          const startedAt = performance.now();
          const first = placed.length;
          await delay(ms);
          seen.push(...placed.slice(first));
          seconds += (performance.now() - startedAt) / 1_000;
        },
        answers: () => answersOf(seen, seconds),
      };
    },
    async finish() {
      const ended = once(child, "exit");
      child.send("stop");
      await ended;
      return placed;
    },
  };
}

function answersOf(placed: readonly Placed[], seconds: number): Answers {
  const times = placed.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? 0;
  return {
    rate: placed.filter(({ orderId }) => orderId !== undefined).length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    repeats: placed.reduce((sum, { repeats }) => sum + repeats, 0),
  };
}
