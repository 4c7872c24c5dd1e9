import type { Logger, Registry } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { countOutbox, onOutboxWritten, outboxAgeMs } from "./outbox.ts";
import { RelayRounds } from "./relay-rounds.ts";
import { standbyMs, TurnHolder } from "./relay-turn.ts";
import type { EventBus } from "./types.ts";

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
  /** How long the oldest event has waited, in milliseconds; 0 where none waits. */
  ageMs(): Promise<number>;
}

/** How long after its last row an outbox counts as quiet, and the pause then. */
const quietAfterMs = 2_000;
const quietPauseMs = 2_000;
const defaultLeaseMs = 10_000;

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
    ageMs: () => outboxAgeMs(o.database),
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
  const turn = new TurnHolder(o.database, leaseMs, onWritten);
  const rounds = new RelayRounds({
    bus: o.bus,
    log: o.log,
    batchSize: o.batchSize ?? 500,
    maxAttempts: o.maxAttempts ?? 10,
    publishMs: leaseMs / 2,
    metrics: o.metrics,
  });
  return {
    pauseMs() {
      // Another one has the turn: when it is gone, so that this one takes over, no word of it comes.
      if (turn.held === undefined) return standbyMs;
      return performance.now() - rounds.busyAtMs > quietAfterMs ? quietPauseMs : 0;
    },
    hasTurn: () => turn.held?.isLost() === false,
    async run(signal) {
      try {
        for (let mine = await turn.take(); mine && !signal.aborted; mine = await turn.take()) {
          if (!(await rounds.run(mine, signal))) return;
        }
      } catch (error) {
        // Whatever went wrong: the next run begins on a new connection.
        await turn[Symbol.asyncDispose]();
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => turn[Symbol.asyncDispose](),
  };
}
