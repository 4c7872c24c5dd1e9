/**
 * Erases a customer from all services. Orders are found by their user, so they are erased last: whatever ends this in between, the next
 * run finds what is left. Each call is idempotent.
 */
import type { EventBus } from "@smartcart/bus";
import { delay } from "@smartcart/runtime";
import type { Attached } from "../attach/attach.ts";
import type { OperatorClients } from "../attach/operator-clients.ts";
import { createOperatorClients } from "../attach/operator-clients.ts";
import { CommandError } from "../cli/command.ts";
import type { DeadLetterOfOrder } from "../dead-letters/dead-letters-by-order.ts";
import { deadLettersByOrder } from "../dead-letters/dead-letters-by-order.ts";
import { recordsOf } from "./export-user.ts";

/** What was erased. */
export interface Erasure {
  readonly orders: number;
  readonly payments: number;
  readonly deadLetters: number;
  /** Dead letters in the archive of the console. */
  readonly archivedDeadLetters: number;
  /** Dead letters, archived ones included, that cannot be decoded. They are kept, since they can be about anyone. */
  readonly unreadableDeadLetters: number;
}

/** Orders of one call. */
const batchSize = 100;
const pollMs = 500;
const shownOrders = 5;

/** @throws CommandError where orders are on their way after `waitMs`; nothing is erased then. */
export async function eraseUser(
  running: Attached,
  userId: string,
  waitMs: number,
): Promise<Erasure> {
  using clients = createOperatorClients(running);
  const orderIds = await finalOrders(clients, userId, waitMs);
  const { bus } = running;
  const { deadLetters, ofUser, unreadable } = await deadLettersByOrder(bus, userId);
  const erased = { orders: 0, payments: 0, deadLetters: 0, archivedDeadLetters: 0 };
  // Also about orders that were deleted for their age.
  erased.deadLetters += await dropDeadLetters(bus, ofUser);
  await bus.dropUnrouted();
  for (let from = 0; from < orderIds.length; from += batchSize) {
    const batch = orderIds.slice(from, from + batchSize);
    const about = batch.flatMap((orderId) => deadLetters.get(orderId) ?? []);
    erased.deadLetters += await dropDeadLetters(bus, about);
    const archived = await clients.ops.eraseArchivedDeadLetters(
      { userId, orderIds: batch },
      clients.as,
    );
    erased.archivedDeadLetters += archived.erased;
    const paid = await clients.payment.batchErasePayments({ orderIds: batch }, clients.as);
    erased.payments += paid.erased;
    const placed = await clients.order.batchEraseOrders({ userId, orderIds: batch }, clients.as);
    erased.orders += placed.erased;
  }
  // Of orders that were deleted before.
  const archived = await clients.ops.eraseArchivedDeadLetters({ userId }, clients.as);
  erased.archivedDeadLetters += archived.erased;
  await clients.order.batchEraseOrders({ userId, orderIds: [] }, clients.as);
  return { ...erased, unreadableDeadLetters: unreadable + archived.unreadable };
}

/** The ids of all orders of the user, once each of them is final. */
async function finalOrders(
  clients: OperatorClients,
  userId: string,
  waitMs: number,
): Promise<readonly string[]> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const orderIds: string[] = [];
    const onTheirWay: string[] = [];
    for await (const { order, isFinal } of recordsOf(clients, userId)) {
      (isFinal ? orderIds : onTheirWay).push(order?.orderId ?? "");
    }
    if (onTheirWay.length === 0) return orderIds;
    if (performance.now() >= deadline) throw stillRunning(onTheirWay);
    await delay(pollMs);
  }
}

function stillRunning(orderIds: readonly string[]): CommandError {
  const shown = orderIds.slice(0, shownOrders).join(", ");
  const more = orderIds.length > shownOrders ? ` and ${orderIds.length - shownOrders} more` : "";
  return new CommandError(
    `Nothing was erased: ${orderIds.length} orders of the customer are on their way and need the address (${shown}${more}). Wait with --wait SECONDS until they are shipped, or cancel them.`,
  );
}

async function dropDeadLetters(
  bus: EventBus,
  deadLetters: readonly DeadLetterOfOrder[],
): Promise<number> {
  let dropped = 0;
  for (const [queue, of] of Map.groupBy(deadLetters, (deadLetter) => deadLetter.queue)) {
    dropped += await bus.deadLetters(queue).drop(of.map(({ id }) => id));
  }
  return dropped;
}
