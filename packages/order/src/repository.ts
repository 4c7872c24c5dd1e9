/**
 * Orders as the rest of the service reads and writes them: one at a time. Behind it, concurrent calls are joined into
 * batches, since a statement for 64 orders costs little more than one for a single order.
 */
import type { OutgoingEvent } from "@smartcart/bus";
import { outboxWritten } from "@smartcart/bus";
import type { Database } from "@smartcart/store";
import { createCoalescer } from "@smartcart/store";
import type { StoredOrder } from "./order.ts";
import type { OrderState } from "./order-state.ts";
import type { Advancement } from "./store/advance-orders.ts";
import { advanceOrders } from "./store/advance-orders.ts";
import type { KnownKey, OwnedKey } from "./store/idempotency-keys.ts";
import { findKeys, storeAnswer } from "./store/idempotency-keys.ts";
import type { Insertion } from "./store/insert-orders.ts";
import { insertOrders } from "./store/insert-orders.ts";
import * as leases from "./store/lease-orders.ts";
import { findOrders } from "./store/read-orders.ts";

/** Calls that are made at the same time share a statement. A faulty one rejects alone; without the database all of them reject. */
export interface OrderRepository {
  /** Stores a new order. False where its idempotency key is taken; then nothing was stored. */
  insert(insertion: Insertion): Promise<boolean>;
  /** Stores a transition. False where the order is not any more what it was; then nothing was stored. */
  advance(advancement: Advancement): Promise<boolean>;
  find(orderId: string): Promise<StoredOrder | undefined>;
  /** The order as it stands now. Throws where it does not exist, which cannot be. */
  reload(order: StoredOrder): Promise<StoredOrder>;
  findKey(key: OwnedKey): Promise<KnownKey | undefined>;
  storeAnswer(key: OwnedKey, answer: Uint8Array): Promise<Uint8Array>;
  defer(orderId: string, delayMs: number): Promise<void>;
  /** Leaves the order to a person, with the code of the refusal that stops it. */
  park(order: StoredOrder, refusal: string): Promise<void>;
  /** In how many milliseconds `leaseUnfinished` finds an order; 0 where it does now, Infinity where it never does. */
  unfinishedDueInMs(states: readonly OrderState[]): Promise<number>;
  /** Leases orders in these states that have no driver: no other process takes them for a while. */
  leaseUnfinished(states: readonly OrderState[], limit: number): Promise<readonly StoredOrder[]>;
  /** In how many milliseconds `leaseOverdue` finds an order; 0 where it does now, Infinity where it never does. */
  overdueInMs(overdueMs: number): Promise<number>;
  /** Leases orders that have waited longer than `overdueMs` for news of their shipment. */
  leaseOverdue(limit: number, overdueMs: number): Promise<readonly StoredOrder[]>;
  /** Puts a message into the outbox. False where the outbox has one of that id. */
  announce(event: OutgoingEvent): Promise<boolean>;
  /** Calls `listener` after each transition that this process stores. Other processes' transitions are not reported. Returns the way to stop. */
  onMoved(listener: (orderId: string) => void): () => void;
}

/** How long the resumer leaves an order alone after its last transition, in milliseconds. Longer than any single call may take. */
const leaseMs = 10_000;

/** Runs at most two statements of a kind at once on `database`, which stays the caller's. */
export function createOrderRepository(database: Database): OrderRepository {
  const listeners = new Set<(orderId: string) => void>();
  const batched = createBatchedStatements(database, (orderId) => {
    for (const listener of listeners) listener(orderId);
  });
  return {
    ...batched,
    async reload(order) {
      const found = await batched.find(order.orderId);
      if (found === undefined) throw new Error(`order ${order.orderId} has vanished`);
      return found;
    },
    storeAnswer: (key, answer) => storeAnswer(database, key, answer),
    defer: (orderId, delayMs) => leases.deferOrder(database, orderId, delayMs),
    park: (order, refusal) => leases.parkOrder(database, order, refusal),
    unfinishedDueInMs: (states) => leases.unfinishedDueInMs(database, states),
    leaseUnfinished: (states, limit) => leases.leaseUnfinished(database, states, limit, leaseMs),
    overdueInMs: (overdueMs) => leases.overdueInMs(database, overdueMs),
    leaseOverdue: (limit, overdueMs) => leases.leaseOverdue(database, limit, overdueMs),
    async announce(event) {
      const isNew = await leases.announce(database, event);
      if (isNew) outboxWritten(database);
      return isNew;
    },
    onMoved(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The statements that concurrent calls share. `onMoved` is called for each order that moved. */
function createBatchedStatements(
  database: Database,
  onMoved: (orderId: string) => void,
): Pick<OrderRepository, "insert" | "advance" | "find" | "findKey"> {
  const insert = createCoalescer<Insertion, boolean>({
    name: "order.insert",
    maxItems: 128,
    maxConcurrent: 2,
    run: async (items) => {
      const inserted = await insertOrders(database, items, leaseMs);
      return items.map(({ order }) => inserted.has(order.orderId));
    },
  });
  const advance = createCoalescer<Advancement, boolean>({
    name: "order.advance",
    maxItems: 256,
    maxConcurrent: 2,
    run: async (items) => {
      const moved = await advanceOrders(database, items, leaseMs);
      outboxWritten(database);
      for (const [index, { transition }] of items.entries()) {
        if (moved[index]) onMoved(transition.from.orderId);
      }
      return moved;
    },
  });
  const findKey = createCoalescer<OwnedKey, KnownKey | undefined>({
    name: "order.find-key",
    maxItems: 256,
    maxConcurrent: 2,
    run: (keys) => findKeys(database, keys),
  });
  const find = createCoalescer<string, StoredOrder | undefined>({
    name: "order.find",
    maxItems: 256,
    maxConcurrent: 2,
    run: async (ids) => {
      const found = await findOrders(database, ids);
      const byId = new Map(found.map((order) => [order.orderId, order]));
      return ids.map((id) => byId.get(id));
    },
  });
  return { insert, advance, find, findKey };
}
