import { startTimer } from "@smartcart/runtime";
import { countOutbox, onOutboxWritten, outboxAgeMs } from "./outbox.ts";
import type { RelayOptions } from "./relay-run.ts";
import { RelayRun } from "./relay-run.ts";

/** A relay at work. Disposing it finishes the batch under way. */
export interface Relay extends AsyncDisposable {
  /** Rows not yet confirmed. */
  pending(): Promise<number>;
  /** How long the oldest event has waited, in milliseconds; 0 where none waits. */
  ageMs(): Promise<number>;
}

/**
 * Publishes the rows of an outbox and deletes each one once the queue has confirmed it: at least
 * once, in order per ordering key. Any number of relays may be started on one outbox: one holds its lock,
 * and another one takes over when it ends. A row that fails blocks only its own ordering key; after `maxAttempts` it is parked
 * (`not_before = 'infinity'`, `last_error` says why) until a person decides.
 */
export function startRelay(o: RelayOptions): Relay {
  const { pollMs = 50 } = o;
  const relay = new RelayRun(o, () => timer.poke());
  const timer = startTimer({
    name: "outbox.relay",
    intervalMs: pollMs,
    longestMs: Math.max(pollMs, relay.longestPauseMs),
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
    pending: () => countOutbox(o.database),
    ageMs: () => outboxAgeMs(o.database),
    async [Symbol.asyncDispose]() {
      removeWake();
      await timer[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}
