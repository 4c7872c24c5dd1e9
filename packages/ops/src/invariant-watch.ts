/** Holds the invariants against what is stored, now and then, and repairs when asked to. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RepairSchema } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { IncrementalCheck, Invariant, ReconcilerPeers } from "@smartcart/reconciler";
import { repairAll } from "@smartcart/reconciler";
import type { Logger, Timer } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import { checkFailed } from "./errors.ts";
import type { Feed } from "./feed.ts";
import { createFeed } from "./feed.ts";
import type { InvariantInit } from "./invariant-states.ts";
import { createInvariantStates } from "./invariant-states.ts";

interface InvariantWatchOptions {
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

/** Calls of `reconcile` that wait for their turn share one run. It rejects with CHECK_FAILED where the database does not answer. */
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

/** Looks at once and then on a timer. Disposing waits for the look or repair under way. */
export function startInvariantWatch(o: InvariantWatchOptions): InvariantWatch {
  return new Watch(o);
}

class Watch implements InvariantWatch {
  readonly feed: InvariantWatch["feed"];
  readonly #o: InvariantWatchOptions;
  readonly #intervalMs: number;
  readonly #states: ReturnType<typeof createInvariantStates>;
  readonly #timer: Timer;
  #followers = 0;
  /** The last look or repair in the queue: they run one at a time. */
  #last: Promise<unknown> = Promise.resolve();
  /** A reconcile call that waits for its turn: later calls share it, since it reads all data after they were made. */
  #coming: ReturnType<InvariantWatch["reconcile"]> | undefined;
  #turnsToSkip = 0;
  #isFailing = false;

  constructor(o: InvariantWatchOptions) {
    this.#o = o;
    this.#intervalMs = Math.max(shortestMs, o.intervalMs);
    this.#states = createInvariantStates(o.invariants, o);
    this.feed = createFeed<InvariantInit[]>((count) => {
      if (count > this.#followers) this.#timer.poke();
      this.#followers = count;
    });
    this.#timer = startTimer({
      name: "ops.invariants",
      intervalMs: this.#intervalMs,
      longestMs: this.#intervalMs * unwatchedFactor,
      log: o.log,
      run: () => this.#tick(),
    });
    this.#timer.poke();
  }

  invariants(): InvariantInit[] {
    return this.#states.invariants();
  }

  reconcile(): ReturnType<InvariantWatch["reconcile"]> {
    this.#coming ??= this.#inTurn(async () => {
      this.#coming = undefined;
      await this.#lookNow();
      const repairs = await this.#repair();
      if (repairs.length > 0) await this.#lookNow();
      return { repairs, invariants: this.invariants() };
    });
    return this.#coming;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#timer[Symbol.asyncDispose]();
    await this.#last;
  }

  async #tick(): Promise<number> {
    if (this.#turnsToSkip > 0) this.#turnsToSkip--;
    else await this.#inTurn(() => this.#look()).catch((error: unknown) => this.#failed(error));
    return this.#followers > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #look(): Promise<void> {
    const startedAt = performance.now();
    const nowMs = Date.now();
    this.#states.look(await this.#o.check.look(nowMs), nowMs);
    this.#isFailing = false;
    const intervalMs = this.#intervalMs;
    const tookMs = Math.round(performance.now() - startedAt);
    const skipped = Math.floor(tookMs / intervalMs);
    this.#turnsToSkip = skipped;
    if (skipped > 0) {
      const message = `the invariants took ${tookMs} ms to look at; ${skipped} looks are skipped. Raise OPS_CHECK_INTERVAL_MS`;
      this.#o.log.warn("ops.check_slow", { tookMs, intervalMs, message });
    }
    this.feed.publish(this.invariants());
  }

  #lookNow(): Promise<void> {
    return this.#look().catch((error: unknown) => {
      throw checkFailed(error);
    });
  }

  /** A database that is away, or services that have not made their tables yet. */
  #failed(error: unknown): void {
    const level = this.#isFailing ? "debug" : "warn";
    this.#o.log[level]("ops.check_failed", { error });
    this.#isFailing = true;
  }

  async #repair(): Promise<RepairInit[]> {
    const repairs: RepairInit[] = [];
    for (const violation of this.#states.broken()) {
      const invariant = violation.invariant.name;
      for (const { repair, orderId, problem = "" } of await repairAll(violation, this.#o)) {
        repairs.push({ invariant, orderId, action: repair, problem });
      }
    }
    return repairs;
  }
}
