import type { Logger, Registry } from "@smartcart/runtime";
import { delay } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import { mergeEvents } from "./merge-events.ts";
import { createRelayMetrics } from "./metrics.ts";
import type { OutboxRow } from "./outbox.ts";
import { deferOutbox, deleteOutbox, readOutbox } from "./outbox.ts";
import type { PublishOutcome } from "./publish-outcome.ts";
import { publishOutcome } from "./publish-outcome.ts";
import type { RelayTurn } from "./relay-turn.ts";
import type { EventBus, PublishReport } from "./types.ts";

export interface RelayRoundsOptions {
  readonly bus: EventBus;
  readonly log: Logger;
  /** Most rows of a round. */
  readonly batchSize: number;
  /** Failed publishes of one row, on a healthy queue, until it is parked. */
  readonly maxAttempts: number;
  /** Longest wait for the confirms of a round, in milliseconds. */
  readonly publishMs: number;
  readonly metrics: Registry | undefined;
}

/** The rounds of one relay. Each leaves to the next how many rows it may take, and how long the queue has been away. */
export class RelayRounds {
  /** When there were rows last, on the clock of `performance.now()`. */
  busyAtMs = performance.now();
  readonly #o: RelayRoundsOptions;
  readonly #metrics: ReturnType<typeof createRelayMetrics>;
  #limit: number;
  #awayMs = 0;

  constructor(o: RelayRoundsOptions) {
    this.#o = o;
    this.#metrics = createRelayMetrics(o.metrics);
    this.#limit = o.batchSize;
  }

  /** Reads rows, publishes them and stores what came of it; answers whether there may be more. */
  async run({ db }: RelayTurn, signal: AbortSignal): Promise<boolean> {
    const { bus, batchSize, maxAttempts, publishMs } = this.#o;
    const asked = this.#limit;
    const rows = await readOutbox(db, asked);
    if (rows.length === 0) return false;
    this.busyAtMs = performance.now();
    const report = await publish(rows, bus, publishMs);
    const healthy = report.unknown.length === 0 || (await isReachable(bus));
    const outcome = publishOutcome(rows, report, { healthy, maxAttempts });
    await this.#store(db, outcome);
    // One row can make all its neighbours fail: halving the batch finds it, success widens it again.
    if (outcome.confirmed.length > 0) this.#limit = Math.min(batchSize, asked * 2);
    else if (healthy) this.#limit = Math.ceil(rows.length / 2);
    if (!healthy) {
      await this.#waitForQueue(rows.length, signal);
      return false;
    }
    this.#awayMs = 0;
    // With all rows read there is nothing left but what is written from now on: it pokes, or waits for the next look.
    return rows.length === asked || outcome.failures.length > 0;
  }

  async #store(db: Queryable, { confirmed, failures, parked }: PublishOutcome): Promise<void> {
    if (confirmed.length > 0) await deleteOutbox(db, confirmed);
    if (failures.length > 0) await deferOutbox(db, failures);
    this.#metrics.relayed.inc(confirmed.length);
    this.#metrics.failed.inc(failures.length);
    for (const { id, type, error } of parked) {
      this.#o.log.error("outbox.parked", { messageId: id, type, reason: error });
    }
  }

  async #waitForQueue(rows: number, signal: AbortSignal): Promise<void> {
    this.#awayMs = Math.min(2_000, Math.max(100, this.#awayMs * 2));
    this.#o.log.warn("outbox.queue_unreachable", { rows, pauseMs: this.#awayMs });
    await delay(this.#awayMs, signal);
  }
}

/** Publishes rows, merged where the contract lets them; the report speaks of the rows. */
async function publish(
  rows: readonly OutboxRow[],
  bus: EventBus,
  timeoutMs: number,
): Promise<PublishReport> {
  const merged = mergeEvents(rows);
  const members = new Map(merged.map((one) => [one.event.id, one.members.map(({ id }) => id)]));
  const events = merged.map((one) => one.event);
  const report = await bus.publish(events, { timeoutMs });
  const spread = (ids: readonly string[]) => ids.flatMap((id) => members.get(id) ?? [id]);
  return {
    confirmed: spread(report.confirmed),
    unknown: spread(report.unknown),
    unroutable: spread(report.unroutable),
  };
}

async function isReachable(bus: EventBus): Promise<boolean> {
  try {
    await bus.check();
    return true;
  } catch {
    return false;
  }
}
