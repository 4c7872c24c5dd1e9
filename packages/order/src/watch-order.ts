/** Follows the history of one order: what is stored, then what comes, until the order is final. */
import { createWakeSignal } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { orderNotFound } from "./errors.ts";
import type { HistoryEntry } from "./order.ts";
import { isFinal } from "./order-state.ts";
import type { OrderRepository } from "./repository.ts";
import { listHistory } from "./store/read-orders.ts";

interface WatchOptions {
  readonly orderId: string;
  readonly afterSequence: number;
  readonly signal: AbortSignal;
  readonly database: Database;
  readonly repository: OrderRepository;
}

/** Another replica may change the order, so the table is polled; a change by this process only triggers an earlier read. */
const pollMs = 500;

/**
 * Yields each stored entry after `afterSequence` once and in order. Ends when the order is final or the signal fires. Throws ORDER_NOT_FOUND.
 */
export async function* watchHistory(options: WatchOptions): AsyncGenerator<HistoryEntry> {
  const { orderId, signal, database, repository } = options;
  let sequence = options.afterSequence;
  const wake = createWakeSignal();
  const unsubscribe = repository.onMoved((moved) => {
    if (moved === orderId) wake.notify();
  });
  try {
    while (!signal.aborted) {
      wake.reset();
      // Read before the history: an order that is final now has its whole history stored already.
      const order = await repository.find(orderId);
      if (order === undefined) throw orderNotFound(orderId);
      for (const entry of await listHistory(database, orderId, sequence)) {
        sequence = entry.sequence;
        yield entry;
      }
      if (isFinal(order.state)) return;
      await wake.wait(signal, pollMs);
    }
  } finally {
    unsubscribe();
  }
}
