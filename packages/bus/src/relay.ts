import { randomUUID } from "node:crypto";
import type { Logger, Registry } from "@smartcart/runtime";
import { delay, startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createRelayMetrics } from "./metrics.ts";
import { claimOutbox, countOutbox, deleteOutbox, hasOutboxWork, releaseOutbox } from "./outbox.ts";
import { judgeRound } from "./relay-round.ts";
import type { EventBus } from "./types.ts";

/** What a relay is made of. */
export interface RelayOptions {
  /** The schema whose table `outbox` is relayed. */
  readonly database: Database;
  readonly bus: EventBus;
  readonly log: Logger;
  /** Pause between looks at the table; default 50. A poke shortens it. */
  readonly pollMs?: number;
  /** Most rows published at once; default 500. */
  readonly batchSize?: number;
  /** A relay that dies delays its rows by this much; default 10,000. Publishing gets half of it. */
  readonly leaseMs?: number;
  /** Failed publishes of one row, on a healthy queue, until it is parked; default 10. */
  readonly maxAttempts?: number;
  readonly metrics?: Registry | undefined;
}

/** A relay at work. Disposing it finishes the batch under way. */
export interface Relay extends AsyncDisposable {
  /** Says that there is work: look now instead of at the next poll. */
  poke(): void;
  /** Rows not yet confirmed. */
  pending(): Promise<number>;
}

/**
 * Publishes the rows of an outbox and deletes each one once the queue has confirmed it: at least
 * once, in order per ordering key. Any number of relays may work on one outbox. A row that fails
 * blocks only its own ordering key; after `maxAttempts` it is parked (`not_before = 'infinity'`,
 * `last_error` says why) until a person decides.
 */
export function startRelay(o: RelayOptions): Relay {
  const relay = createRelay(o);
  const timer = startTimer({
    name: "outbox.relay",
    intervalMs: o.pollMs ?? 50,
    log: o.log,
    run: relay.run,
  });
  timer.poke();
  return {
    poke: () => timer.poke(),
    pending: async () => (await countOutbox(o.database)).pending,
    [Symbol.asyncDispose]: () => timer[Symbol.asyncDispose](),
  };
}

/**
 * The relay without its timer: `run` publishes until the outbox is empty, the queue is down, or the
 * signal fires.
 */
export function createRelay(o: RelayOptions): { run(signal: AbortSignal): Promise<void> } {
  const leaseMs = o.leaseMs ?? 10_000;
  const batchSize = o.batchSize ?? 500;
  const metrics = createRelayMetrics(o.metrics);
  let limit = batchSize;
  let pauseMs = 0;

  async function runOnce(signal: AbortSignal): Promise<boolean> {
    const owner = randomUUID();
    const rows = await claimOutbox(o.database, { owner, limit, leaseMs });
    if (rows.length === 0) return false;
    const report = await o.bus.publish(rows, { timeoutMs: leaseMs / 2 });
    const healthy = report.unknown.length === 0 || (await isReachable(o.bus));
    const round = judgeRound(rows, report, { healthy, maxAttempts: o.maxAttempts ?? 10 });

    if (round.confirmed.length > 0) await deleteOutbox(o.database, owner, round.confirmed);
    if (round.failures.length > 0) await releaseOutbox(o.database, owner, round.failures);
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
    return healthy;
  }

  return {
    async run(signal) {
      if (!(await hasOutboxWork(o.database))) return;
      while (!signal.aborted && (await runOnce(signal)));
    },
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
