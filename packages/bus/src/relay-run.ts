import type { Logger, Registry } from "@smartcart/runtime";
import { delay } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { mergeEvents } from "./merge-events.ts";
import { createRelayMetrics } from "./metrics.ts";
import type { OutboxRow } from "./outbox.ts";
import { deferOutbox, deleteOutbox, outboxChannel, readOutbox } from "./outbox.ts";
import type { PublishOutcome } from "./publish-outcome.ts";
import { publishOutcome } from "./publish-outcome.ts";
import type { LockedSession } from "./session-lock.ts";
import { lockSession } from "./session-lock.ts";
import type { EventBus, PublishReport } from "./types.ts";

/** What a relay is made of. */
export interface RelayOptions {
  /** The schema whose table `outbox` is relayed. */
  readonly database: Database;
  readonly bus: EventBus;
  readonly log: Logger;
  /**
   * Pause between polls of the table while there is work, in milliseconds; default 50. After two seconds without a row it is two
   * seconds: `outboxWritten` wakes the relay, whichever process calls it.
   */
  readonly pollMs?: number;
  /** Most rows published at once; default 500. */
  readonly batchSize?: number;
  /** A relay that hangs loses the lock after so long, in milliseconds; default 10,000. Publishing may take half of it. */
  readonly leaseMs?: number;
  /** Failed publishes of one row, on a healthy queue, until it is parked; default 10. */
  readonly maxAttempts?: number;
  readonly metrics?: Registry | undefined;
}

/** How long after its last row an outbox counts as quiet, and the pause then. */
const quietAfterMs = 2_000;
const quietPauseMs = 2_000;
/** How often a relay tries to take the lock while another one holds it. */
const standbyMs = 500;

/** A relay without its timer. The turn is a session lock on the outbox; disposing the relay releases it. */
export class RelayRun implements AsyncDisposable {
  readonly #o: Required<Omit<RelayOptions, "pollMs" | "metrics">>;
  readonly #metrics: ReturnType<typeof createRelayMetrics>;
  readonly #onWritten: () => void;
  /** The lock as it was taken last; it may be lost by now. */
  #turn: LockedSession<true> | undefined;
  #standbyUntilMs = 0;
  /** When it last read a row. */
  #busyAtMs = performance.now();
  /** Most rows of the next round. */
  #limit: number;
  /** The last pause for an unreachable queue, which doubles. */
  #awayMs = 0;

  /** `onWritten` is called when another process has written to the outbox, while this relay has the turn. */
  constructor(o: RelayOptions, onWritten: () => void = () => {}) {
    this.#o = { batchSize: 500, leaseMs: 10_000, maxAttempts: 10, ...o };
    this.#metrics = createRelayMetrics(o.metrics);
    this.#onWritten = onWritten;
    this.#limit = this.#o.batchSize;
  }

  /** Publishes until the outbox is empty, the queue is down, or the signal fires. Does nothing while another relay has the turn. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (let turn = await this.#takeTurn(); turn; turn = await this.#takeTurn()) {
        if (signal.aborted || !(await this.#round(turn.db, signal))) return;
      }
    } catch (error) {
      // After any error the next run begins on a new connection.
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** How long the next run may wait, in milliseconds: 0 while there is work. */
  pauseMs(): number {
    // No notification comes when the relay that has the turn dies: ask again.
    if (this.#turn === undefined) return standbyMs;
    return performance.now() - this.#busyAtMs > quietAfterMs ? quietPauseMs : 0;
  }

  /** The longest of these pauses, in milliseconds: the turn is lost by one that is as long as the lease. */
  get longestPauseMs(): number {
    return Math.min(quietPauseMs, this.#o.leaseMs / 4);
  }

  hasTurn(): boolean {
    return this.#turn?.isLost() === false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#turn?.close();
    this.#turn = undefined;
  }

  /** The right to relay this outbox; undefined while another relay has it. Asks for it every `standbyMs` at most. */
  async #takeTurn(): Promise<LockedSession<true> | undefined> {
    if (this.#turn?.isLost()) await this[Symbol.asyncDispose]();
    if (this.#turn !== undefined || performance.now() < this.#standbyUntilMs) return this.#turn;
    const { database, leaseMs } = this.#o;
    this.#turn = await lockSession(database, {
      lock: lockOutbox,
      leaseMs,
      channel: outboxChannel,
      onNotification: (schema) => {
        if (schema === database.schema) this.#onWritten();
      },
    });
    if (this.#turn === undefined) this.#standbyUntilMs = performance.now() + standbyMs;
    return this.#turn;
  }

  /** Reads rows, publishes them and stores the outcome; returns whether there may be more. */
  async #round(db: Queryable, signal: AbortSignal): Promise<boolean> {
    const { bus, batchSize, maxAttempts, leaseMs } = this.#o;
    const asked = this.#limit;
    const rows = await readOutbox(db, asked);
    if (rows.length === 0) return false;
    this.#busyAtMs = performance.now();
    const report = await publish(rows, bus, leaseMs / 2);
    const healthy = report.unknown.length === 0 || (await isReachable(bus));
    const outcome = publishOutcome(rows, report, { healthy, maxAttempts });
    await this.#store(db, outcome);
    // One row can make its whole batch fail: halving the batch isolates it, success doubles the batch again.
    if (outcome.confirmed.length > 0) this.#limit = Math.min(batchSize, asked * 2);
    else if (healthy) this.#limit = Math.ceil(rows.length / 2);
    if (!healthy) {
      await this.#waitForQueue(rows.length, signal);
      return false;
    }
    this.#awayMs = 0;
    // All rows were read: later ones wake the relay, or are found by the next poll.
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

async function lockOutbox(session: Queryable): Promise<true | undefined> {
  const { rows } = await session.query<{ taken: boolean }>({
    text: "select pg_try_advisory_lock(hashtext('smartcart.outbox'), hashtext(current_schema())) as taken",
  });
  return rows[0]?.taken || undefined;
}

/** Publishes rows, merged where the contract allows it; the report has the ids of the rows. */
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
