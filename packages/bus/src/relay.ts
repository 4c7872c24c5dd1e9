import type { Logger, Registry } from "@smartcart/runtime";
import { delay, startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { mergeEvents } from "./merge-events.ts";
import { createRelayMetrics } from "./metrics.ts";
import type { OutboxRow } from "./outbox.ts";
import { countOutbox, deferOutbox, deleteOutbox, onOutboxWritten, readOutbox } from "./outbox.ts";
import { publishOutcome } from "./publish-outcome.ts";
import type { RelayTurn } from "./relay-turn.ts";
import { takeRelayTurn } from "./relay-turn.ts";
import type { EventBus, PublishReport } from "./types.ts";

/** What a relay is made of. */
export interface RelayOptions {
  /** The schema whose table `outbox` is relayed. */
  readonly database: Database;
  readonly bus: EventBus;
  readonly log: Logger;
  /**
   * Pause between looks at the table while there is work, in milliseconds; default 50. After two quiet seconds it is two seconds:
   * `outboxWritten` wakes the relay, whichever process calls it.
   */
  readonly pollMs?: number;
  /** Most rows published at once; default 500. */
  readonly batchSize?: number;
  /** A relay that hangs loses its turn after so long, in milliseconds; default 10,000. Publishing gets half of it. */
  readonly leaseMs?: number;
  /** Failed publishes of one row, on a healthy queue, until it is parked; default 10. */
  readonly maxAttempts?: number;
  readonly metrics?: Registry | undefined;
}

/** A relay at work. Disposing it finishes the batch under way. */
export interface Relay extends AsyncDisposable {
  /** Rows not yet confirmed. */
  pending(): Promise<number>;
}

/** How long after its last row an outbox counts as quiet, and the pause then. */
const quietAfterMs = 2_000;
const quietPauseMs = 2_000;
const defaultLeaseMs = 10_000;
/** How often a relay asks for the turn while another one has it, in milliseconds. */
const standbyMs = 500;

/**
 * Publishes the rows of an outbox and deletes each one once the queue has confirmed it: at least
 * once, in order per ordering key. Any number of relays may be started on one outbox; one has the turn,
 * the others take over when it is gone. A row that fails blocks only its own ordering key; after `maxAttempts` it is parked
 * (`not_before = 'infinity'`, `last_error` says why) until a person decides.
 */
export function startRelay(o: RelayOptions): Relay {
  const relay = createRelay(o, () => timer.poke());
  const pollMs = o.pollMs ?? 50;
  const leaseMs = o.leaseMs ?? defaultLeaseMs;
  const timer = startTimer({
    name: "outbox.relay",
    intervalMs: pollMs,
    // The turn is lost by a pause that is as long as the lease.
    longestMs: Math.max(pollMs, Math.min(quietPauseMs, leaseMs / 4)),
    log: o.log,
    async run(signal) {
      await relay.run(signal);
      return relay.pauseMs();
    },
  });
  const removeWake = onOutboxWritten(o.database, () => {
    timer.poke();
    return relay.hasTurn();
  });
  timer.poke();
  return {
    pending: async () => (await countOutbox(o.database)).pending,
    async [Symbol.asyncDispose]() {
      removeWake();
      await timer[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** The relay without its timer. Disposing it gives the turn back. */
export interface RelayRun extends AsyncDisposable {
  /** Publishes until the outbox is empty, the queue is down, or the signal fires. Does nothing while another relay has the turn. */
  run(signal: AbortSignal): Promise<void>;
  /** How long the next run may wait, in milliseconds: 0 while there is work. */
  pauseMs(): number;
  hasTurn(): boolean;
}

/** `onWritten` is called when another process has written to the outbox, while this relay has the turn. */
export function createRelay(o: RelayOptions, onWritten: () => void = () => {}): RelayRun {
  const leaseMs = o.leaseMs ?? defaultLeaseMs;
  const batchSize = o.batchSize ?? 500;
  const metrics = createRelayMetrics(o.metrics);
  let limit = batchSize;
  let pauseMs = 0;
  let turn: RelayTurn | undefined;
  let standbyUntil = 0;
  let busyAt = performance.now();

  async function myTurn(): Promise<RelayTurn | undefined> {
    if (turn?.isLost()) await giveBack();
    if (turn !== undefined || performance.now() < standbyUntil) return turn;
    turn = await takeRelayTurn(o.database, leaseMs, onWritten);
    if (turn === undefined) standbyUntil = performance.now() + standbyMs;
    return turn;
  }

  async function giveBack(): Promise<void> {
    await turn?.[Symbol.asyncDispose]();
    turn = undefined;
  }

  /** Whether there may be more. */
  async function runOnce({ db }: RelayTurn, signal: AbortSignal): Promise<boolean> {
    const asked = limit;
    const rows = await readOutbox(db, asked);
    if (rows.length === 0) return false;
    busyAt = performance.now();
    const report = await publish(rows, o.bus, leaseMs / 2);
    const healthy = report.unknown.length === 0 || (await isReachable(o.bus));
    const round = publishOutcome(rows, report, { healthy, maxAttempts: o.maxAttempts ?? 10 });

    if (round.confirmed.length > 0) await deleteOutbox(db, round.confirmed);
    if (round.failures.length > 0) await deferOutbox(db, round.failures);
    metrics.relayed.inc(round.confirmed.length);
    metrics.failed.inc(round.failures.length);
    // One row can make all its neighbours fail: halving the batch finds it, success widens it
    // again.
    if (round.confirmed.length > 0) limit = Math.min(batchSize, limit * 2);
    else if (healthy) limit = Math.ceil(rows.length / 2);
    for (const parked of round.parked) {
      o.log.error("outbox.parked", {
        messageId: parked.id,
        type: parked.type,
        reason: parked.error,
      });
    }
    if (healthy) {
      pauseMs = 0;
    } else {
      pauseMs = Math.min(2_000, Math.max(100, pauseMs * 2));
      o.log.warn("outbox.queue_unreachable", { rows: rows.length, pauseMs });
      await delay(pauseMs, signal);
    }
    // With all rows read there is nothing left but what is written from now on: it pokes, or waits for the next look.
    return healthy && (rows.length === asked || round.failures.length > 0);
  }

  return {
    pauseMs() {
      // Another one has the turn: when it is gone, so that this one takes over, no word of it comes.
      if (turn === undefined) return standbyMs;
      return performance.now() - busyAt > quietAfterMs ? quietPauseMs : 0;
    },
    hasTurn: () => turn !== undefined && !turn.isLost(),
    async run(signal) {
      try {
        for (let mine = await myTurn(); mine && !signal.aborted; mine = await myTurn()) {
          if (!(await runOnce(mine, signal))) return;
        }
      } catch (error) {
        // Whatever went wrong: the next run begins on a new connection.
        await giveBack();
        throw error;
      }
    },
    [Symbol.asyncDispose]: giveBack,
  };
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
