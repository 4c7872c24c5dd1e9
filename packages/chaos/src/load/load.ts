/** The customers: a bounded stream of orders, each repeated until it has a final answer. */
import { delay, withTimeout } from "@smartcart/runtime";
import type { Random } from "../random.ts";
import type { ClientHistory } from "./history.ts";
import type { LoadMix } from "./load-mix.ts";
import { createWish } from "./load-mix.ts";
import type { Answer, OrderWish, Repetition, Shopper } from "./shopper.ts";
import { createShopper } from "./shopper.ts";
import type { Sighting } from "./watcher.ts";
import { watchOrder } from "./watcher.ts";

interface LoadOptions {
  /** Where the customers order. */
  readonly url: string;
  readonly history: ClientHistory;
  readonly orders: number;
  /** Further orders are sent while this says so. Default: none. */
  readonly goesOn?: () => boolean;
  /** Infinity: all at once, as far as `maxInFlight` allows. */
  readonly ratePerSecond: number;
  /** Most requests in flight, so that the load does not measure its own queue of requests. Default 200. */
  readonly maxInFlight?: number;
  readonly mix: LoadMix;
  /** What the customer of that number wants. Default: by the mix. */
  readonly wish?: (index: number) => OrderWish;
  /** Whether a customer whose order is PENDING polls it until it is decided. Default false. */
  readonly followsPending?: boolean;
  readonly random: Random;
  /** Where orders are watched; undefined: nowhere. */
  readonly hubUrl: string | undefined;
  /** Longest time of one request, in milliseconds. Default 6,000. */
  readonly requestTimeoutMs?: number;
}

/** Counters that grow while it runs. */
interface LoadProgress {
  sent: number;
  answered: number;
  inFlight: number;
  /** When the first and the last order were sent, by `performance.now()`. */
  readonly startedAt: number;
  lastSentAt: number;
  /** Final answers by status or problem code: "CONFIRMED", "PENDING", "OUT_OF_STOCK", … */
  readonly answers: Map<string, number>;
}

/** A customer with an order that is decided. */
interface Decided {
  /** The status of the final answer, or its problem code; of an order that was PENDING, those of the polled order. */
  readonly says: string;
  /** From the first request on, in milliseconds. */
  readonly tookMs: number;
}

/** Grows while the load runs; complete once `finished` has resolved. An undefined answer: the customer gave up. */
export interface LoadFindings {
  readonly placed: { readonly wish: OrderWish; readonly answer: Answer | undefined }[];
  readonly decided: Decided[];
  readonly cancelled: { readonly orderId: string; readonly answer: Answer | undefined }[];
  readonly replays: { readonly key: string; readonly orderId: string; readonly isSame: boolean }[];
  /** Requests that had to be sent more than once. */
  readonly repeated: Repetition[];
  readonly watching: Promise<Sighting>[];
}

/** A load at work. */
export interface RunningLoad {
  readonly progress: LoadProgress;
  readonly findings: LoadFindings;
  /** Resolves when the last order was sent. */
  readonly allSent: Promise<void>;
  /** Resolves when every customer has a response, or has given up. */
  readonly finished: Promise<void>;
  /** Makes all customers give up that still wait for an answer. */
  giveUp(): void;
  /** What the watchers saw. Waits at most 15 s for the last status of each order, then ends them. */
  sightings(): Promise<Sighting[]>;
}

const lastStatusMs = 15_000;

/** Everything that a customer works with. */
interface Shop {
  readonly o: LoadOptions;
  readonly shopper: Shopper;
  readonly progress: LoadProgress;
  readonly findings: LoadFindings;
  readonly endWatching: AbortSignal;
}

/** Starts to send at once. Requests that fail are repeated and recorded; neither promise of the handle rejects for them. */
export function startLoad(o: LoadOptions): RunningLoad {
  const now = performance.now();
  const progress: LoadProgress = {
    sent: 0,
    answered: 0,
    inFlight: 0,
    startedAt: now,
    lastSentAt: now,
    answers: new Map(),
  };
  const findings: LoadFindings = {
    placed: [],
    decided: [],
    cancelled: [],
    replays: [],
    repeated: [],
    watching: [],
  };
  const giveUp = new AbortController();
  const endWatching = new AbortController();
  const shopper = createShopper({
    url: o.url,
    history: o.history,
    signal: giveUp.signal,
    requestTimeoutMs: o.requestTimeoutMs ?? 6_000,
    onRepeated: (repetition) => findings.repeated.push(repetition),
  });
  const shop: Shop = { o, shopper, progress, findings, endWatching: endWatching.signal };
  const customers: Promise<void>[] = [];
  const allSent = sendAll(shop, customers);
  const finished = allSent.then(() => Promise.all(customers)).then(() => {});
  return {
    progress,
    findings,
    allSent,
    finished,
    giveUp: () => giveUp.abort(),
    async sightings() {
      const all = Promise.all(findings.watching);
      await withTimeout(all, lastStatusMs, () => {});
      endWatching.abort();
      return all;
    },
  };
}

async function sendAll(shop: Shop, customers: Promise<void>[]): Promise<void> {
  const { o, progress } = shop;
  const { orders, ratePerSecond, maxInFlight = 200, goesOn = () => false } = o;
  for (let index = 0; index < orders || goesOn(); index++) {
    const dueMs = (index / ratePerSecond) * 1_000 - (performance.now() - progress.startedAt);
    if (dueMs > 0) await delay(dueMs);
    while (progress.inFlight >= maxInFlight) await delay(5);
    progress.sent++;
    progress.inFlight++;
    progress.lastSentAt = performance.now();
    customers.push(
      serve(index, shop).finally(() => {
        progress.inFlight--;
      }),
    );
  }
}

async function serve(
  index: number,
  { o, shopper, progress, findings, endWatching }: Shop,
): Promise<void> {
  const random = o.random.fork(`order ${index}`);
  const wish = o.wish?.(index) ?? createWish(index, random, o.mix);
  // Drawn before the first request, so that the seed alone decides a customer's behaviour.
  const [cancels, replays, watches] = [o.mix.cancelShare, o.mix.replayShare, o.mix.watchShare].map(
    (share) => random.chance(share),
  );
  const patienceMs = random.int(0, 400);
  const answer = await shopper.place(wish);
  findings.placed.push({ wish, answer });
  if (answer === undefined) return;
  progress.answered++;
  progress.answers.set(answer.says, (progress.answers.get(answer.says) ?? 0) + 1);
  const { orderId } = answer;
  if (watches && o.hubUrl !== undefined) {
    findings.watching.push(watchOrder(o.hubUrl, orderId, endWatching));
  }
  const follows = o.followsPending === true && answer.says === "PENDING";
  const decision = follows ? await shopper.follow(orderId) : answer;
  const extraMs = decision === answer ? 0 : (decision?.tookMs ?? 0);
  if (decision) findings.decided.push({ says: decision.says, tookMs: answer.tookMs + extraMs });
  if (cancels && answer.says === "CONFIRMED") {
    await delay(patienceMs);
    findings.cancelled.push({ orderId, answer: await shopper.cancel(wish.key, orderId) });
  }
  if (replays) {
    const again = await shopper.replay(wish);
    if (again === undefined) return;
    const isSame = again.text === answer.text && again.httpStatus === answer.httpStatus;
    findings.replays.push({ key: wish.key, orderId, isSame });
  }
}
