/** The customers: a bounded stream of orders, each followed to an answer that stands. */
import { delay } from "@smartcart/runtime";
import type { Random } from "./random.ts";
import type { Answer, OrderWish, Shopper } from "./shopper.ts";
import type { Sighting } from "./watcher.ts";
import { watchOrder } from "./watcher.ts";

/** What the customers do, in shares of 0 to 1. */
export interface LoadMix {
  /** Payment tokens with their weights. */
  readonly tokens: Readonly<Record<string, number>>;
  /** Products with plenty in stock, and those that run out. */
  readonly plenty: readonly string[];
  readonly scarce: readonly string[];
  /** Orders with a line of something scarce. */
  readonly scarceShare: number;
  /** Confirmed orders that are cancelled again. */
  readonly cancelShare: number;
  /** Answered orders whose request is sent once more. */
  readonly replayShare: number;
  /** Orders that are watched over the WebSocket. */
  readonly watchShare: number;
}

export const usualMix: LoadMix = {
  tokens: {
    tok_visa: 80,
    tok_declined: 5,
    tok_insufficient_funds: 2,
    tok_timeout: 5,
    tok_error: 4,
    tok_slow: 4,
  },
  plenty: ["espresso-beans", "filter-beans", "paper-filters", "ceramic-mug", "dotted-notebook"],
  scarce: ["copper-moka-pot", "monstera-plant", "fountain-pen", "chef-knife"],
  scarceShare: 0.1,
  cancelShare: 0.06,
  replayShare: 0.1,
  watchShare: 0.08,
};

export interface LoadOptions {
  readonly orders: number;
  readonly ratePerSecond: number;
  readonly mix: LoadMix;
  readonly random: Random;
  readonly shopper: Shopper;
  /** Where orders are watched; undefined: nowhere. */
  readonly hubUrl: string | undefined;
  /** Ends the watching. */
  readonly signal: AbortSignal;
}

/** Counters that grow while it runs. */
export interface LoadProgress {
  sent: number;
  answered: number;
  inFlight: number;
  /** When the last order was sent, by `performance.now()`. */
  lastSentAt: number;
  /** Answers that stand, by what they say: "CONFIRMED", "PENDING", "OUT_OF_STOCK", … */
  readonly answers: Map<string, number>;
  /** How long customers waited for an answer that stands, in milliseconds. */
  readonly tookMs: number[];
}

export interface LoadFindings {
  readonly placed: { readonly wish: OrderWish; readonly answer: Answer | undefined }[];
  readonly cancelled: { readonly orderId: string; readonly answer: Answer | undefined }[];
  readonly replays: { readonly key: string; readonly orderId: string; readonly isSame: boolean }[];
  readonly watching: Promise<Sighting>[];
}

/** A load at work. */
export interface RunningLoad {
  readonly progress: LoadProgress;
  readonly findings: LoadFindings;
  /** Resolves when the last order was sent. */
  readonly allSent: Promise<void>;
  /** Resolves when every customer has an answer, or has given up. */
  readonly finished: Promise<void>;
}

/** More customers than these wait before the shop: a client that piles up requests tests itself. */
const maxInFlight = 200;

export function startLoad(o: LoadOptions): RunningLoad {
  const progress: LoadProgress = {
    sent: 0,
    answered: 0,
    inFlight: 0,
    lastSentAt: 0,
    answers: new Map(),
    tookMs: [],
  };
  const findings: LoadFindings = { placed: [], cancelled: [], replays: [], watching: [] };
  const customers: Promise<void>[] = [];
  const sendAll = async () => {
    const startedAt = performance.now();
    for (let index = 0; index < o.orders; index++) {
      const dueMs = (index / o.ratePerSecond) * 1_000 - (performance.now() - startedAt);
      if (dueMs > 0) await delay(dueMs);
      while (progress.inFlight >= maxInFlight) await delay(20);
      progress.sent++;
      progress.inFlight++;
      progress.lastSentAt = performance.now();
      const random = o.random.fork(`order ${index}`);
      const customer = serve(index, random, o, progress, findings).finally(() => {
        progress.inFlight--;
      });
      customers.push(customer);
    }
  };
  const allSent = sendAll();
  const finished = allSent.then(() => Promise.all(customers)).then(() => {});
  return { progress, findings, allSent, finished };
}

async function serve(
  index: number,
  random: Random,
  o: LoadOptions,
  progress: LoadProgress,
  findings: LoadFindings,
): Promise<void> {
  const wish = createWish(index, random, o.mix);
  // Decided at once, so that what a customer is like does not depend on what happens.
  const [cancels, replays, watches] = [o.mix.cancelShare, o.mix.replayShare, o.mix.watchShare].map(
    (share) => random.chance(share),
  );
  const patienceMs = random.int(0, 400);
  const answer = await o.shopper.place(wish);
  findings.placed.push({ wish, answer });
  if (answer === undefined) return;
  progress.answered++;
  progress.answers.set(answer.says, (progress.answers.get(answer.says) ?? 0) + 1);
  progress.tookMs.push(answer.tookMs);
  const { orderId } = answer;
  if (watches && o.hubUrl !== undefined) {
    findings.watching.push(watchOrder(o.hubUrl, orderId, o.signal));
  }
  if (cancels && answer.says === "CONFIRMED") {
    await delay(patienceMs);
    findings.cancelled.push({ orderId, answer: await o.shopper.cancel(wish.key, orderId) });
  }
  if (replays) {
    const again = await o.shopper.replay(wish);
    if (again === undefined) return;
    const isSame = again.text === answer.text && again.httpStatus === answer.httpStatus;
    findings.replays.push({ key: wish.key, orderId, isSame });
  }
}

function createWish(index: number, random: Random, mix: LoadMix): OrderWish {
  const products = random.shuffle(mix.plenty).slice(0, random.int(1, 3));
  if (mix.scarce.length > 0 && random.chance(mix.scarceShare)) {
    products[0] = random.pick(mix.scarce);
  }
  return {
    key: `chaos-${index}-${random.int(0, 2 ** 31)}`,
    body: {
      userId: `customer-${index % 100}`,
      items: products.map((productId) => ({ productId, quantity: random.int(1, 3) })),
      address: `${index} Harbour Road`,
      paymentToken: pickToken(random, mix.tokens),
    },
  };
}

function pickToken(random: Random, tokens: Readonly<Record<string, number>>): string {
  const entries = Object.entries(tokens);
  let left = random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [token, weight] of entries) {
    left -= weight;
    if (left < 0) return token;
  }
  return "tok_visa";
}
