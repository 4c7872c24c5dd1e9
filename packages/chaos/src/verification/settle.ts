/** Waits until no order, outbox row or message is in progress. */
import { delay } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import type { BrokerAdmin } from "../system/broker-admin.ts";

interface Rest {
  /** Whether everything came to rest in time. */
  readonly isComplete: boolean;
  /** From the call until rest, or until the bound, in milliseconds. */
  readonly tookMs: number;
  readonly messagesWaiting: number;
}

/** Counts of what is still in progress. */
interface Motion {
  readonly unfinished: number;
  readonly outbox: number;
  readonly waiting: number;
  /** Rows of all order histories: the number grows while orders make progress. */
  readonly entries: number;
}

/**
 * Waits until every order is final, every outbox is empty and no message waits, at most `boundMs`; or until nothing has
 * changed for `stuckMs`.
 */
export async function waitForRest(
  database: Database,
  admin: BrokerAdmin,
  { boundMs, stuckMs }: { readonly boundMs: number; readonly stuckMs: number },
): Promise<Rest> {
  const startedAt = performance.now();
  let motion: Motion = { unfinished: 1, outbox: 1, waiting: 1, entries: 0 };
  let changedAt = startedAt;
  for (;;) {
    const before = JSON.stringify(motion);
    motion = await look(database, admin).catch(() => motion);
    if (JSON.stringify(motion) !== before) changedAt = performance.now();
    const tookMs = performance.now() - startedAt;
    const isComplete = motion.unfinished + motion.outbox + motion.waiting === 0;
    if (isComplete || tookMs > boundMs || performance.now() - changedAt > stuckMs) {
      return { isComplete, tookMs, messagesWaiting: motion.waiting };
    }
    await delay(200);
  }
}

async function look(database: Database, admin: BrokerAdmin): Promise<Motion> {
  const { rows } = await database.query<Omit<Motion, "waiting">>({
    text: `select
      (select count(*) from orders.order_events)::int as entries,
      (select count(*) from orders.orders where state not in ('SHIPPED', 'REJECTED', 'CANCELLED'))::int as unfinished,
      (select count(*) from orders.outbox)::int as outbox`,
  });
  const { unfinished = 1, outbox = 1, entries = 0 } = rows[0] ?? {};
  return { unfinished, outbox, entries, waiting: await admin.waiting() };
}
