/** Holds the invariants against what is stored, now and then, and repairs when asked to. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RepairSchema } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { IncrementalCheck, Invariant, ReconcilerPeers } from "@smartcart/reconciler";
import { repairAll } from "@smartcart/reconciler";
import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import { checkFailed } from "./errors.ts";
import type { Feed } from "./feed.ts";
import { createFeed } from "./feed.ts";
import type { InvariantInit } from "./invariant-states.ts";
import { createInvariantStates } from "./invariant-states.ts";

export interface InvariantWatchOptions {
  /** Finds what contradicts the invariants. */
  readonly check: IncrementalCheck;
  readonly invariants: readonly Invariant[];
  readonly peers: ReconcilerPeers;
  /** Pause between two checks while a console is open, in milliseconds; otherwise six times as long. */
  readonly intervalMs: number;
  /** How long a contradiction has to stand before the invariant is broken, in milliseconds. */
  readonly brokenAfterMs: number;
  readonly log: Logger;
}

export interface InvariantWatch extends AsyncDisposable {
  /** Gets all invariants after each look. */
  readonly feed: Feed<InvariantInit[]>;
  invariants(): InvariantInit[];
  /** Looks now, repairs what has stood for long enough, and looks again. */
  reconcile(): Promise<{ repairs: RepairInit[]; invariants: InvariantInit[] }>;
}

/** Shortest pause between two looks. */
const shortestMs = 100;
/** Factor of the pauses while no console is open. */
const unwatchedFactor = 6;

type RepairInit = MessageInitShape<typeof RepairSchema>;

export function startInvariantWatch(o: InvariantWatchOptions): InvariantWatch {
  const { invariants, log } = o;
  const intervalMs = Math.max(shortestMs, o.intervalMs);
  const board = createInvariantStates(invariants, o);
  let followers = 0;
  const feed = createFeed<InvariantInit[]>((count) => {
    if (count > followers) timer.poke();
    followers = count;
  });
  /** The end of the line: two looks at once would only be in each other's way. */
  let last: Promise<unknown> = Promise.resolve();
  /** A repair that has not begun: it looks at all that a newcomer can mean, so many at once cost no more than one. */
  let coming: ReturnType<InvariantWatch["reconcile"]> | undefined;
  let turnsToSkip = 0;
  let isFailing = false;

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };

  async function look(): Promise<void> {
    const startedAt = performance.now();
    const nowMs = Date.now();
    board.look(await o.check.look(nowMs), nowMs);
    isFailing = false;
    const tookMs = Math.round(performance.now() - startedAt);
    turnsToSkip = Math.floor(tookMs / intervalMs);
    if (turnsToSkip > 0) {
      const message = `the invariants took ${tookMs} ms to look at; ${turnsToSkip} looks are skipped. Raise OPS_CHECK_INTERVAL_MS`;
      log.warn("ops.check_slow", { tookMs, intervalMs, message });
    }
    feed.publish(board.invariants());
  }

  /** A database that is away, or services that have not made their tables yet. */
  function failed(error: unknown): void {
    const level = isFailing ? "debug" : "warn";
    log[level]("ops.check_failed", { error });
    isFailing = true;
  }

  async function repair(): Promise<RepairInit[]> {
    const repairs: RepairInit[] = [];
    for (const violation of board.broken()) {
      const invariant = violation.invariant.name;
      for (const { repair: action, orderId, problem = "" } of await repairAll(violation, o)) {
        repairs.push({ invariant, orderId, action, problem });
      }
    }
    return repairs;
  }

  const timer = startTimer({
    name: "ops.invariants",
    intervalMs,
    longestMs: intervalMs * unwatchedFactor,
    log,
    async run() {
      if (turnsToSkip > 0) turnsToSkip--;
      else await inTurn(look).catch(failed);
      return followers > 0 ? 0 : Number.POSITIVE_INFINITY;
    },
  });
  timer.poke();

  return {
    feed,
    invariants: () => board.invariants(),
    reconcile() {
      coming ??= inTurn(async () => {
        coming = undefined;
        const lookNow = () =>
          look().catch((error: unknown) => {
            throw checkFailed(error);
          });
        await lookNow();
        const repairs = await repair();
        if (repairs.length > 0) await lookNow();
        return { repairs, invariants: board.invariants() };
      });
      return coming;
    },
    async [Symbol.asyncDispose]() {
      await timer[Symbol.asyncDispose]();
      await last;
    },
  };
}
