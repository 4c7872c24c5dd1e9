/** `PlaceOrder`: price, store, drive, answer. The order is durable before anything is reserved or charged for it. */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Order } from "@smartcart/gen/order/v1/order_pb";
import { Order_Status, OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import type { PlaceOrderRequest } from "@smartcart/gen/order/v1/order_service_pb";
import { ValidationError } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { currentTraceId, withTimeout } from "@smartcart/runtime";
import type { Admission, Visit } from "./admission.ts";
import type { Catalogue, PricedOrder } from "./catalogue.ts";
import type { CrashPoints } from "./crash-points.ts";
import {
  catalogueUnavailable,
  idempotencyKeyInUse,
  idempotencyKeyReused,
  orderRejected,
  priceChanged,
} from "./errors.ts";
import { fingerprintOf } from "./idempotency.ts";
import type { StoredOrder } from "./order.ts";
import { receiveOrder } from "./order.ts";
import { newOrderId } from "./order-id.ts";
import { orderView } from "./order-view.ts";
import type { OrderRepository } from "./repository.ts";
import type { OrderSaga } from "./saga/order-saga.ts";
import type { KnownKey, OwnedKey } from "./store/idempotency-keys.ts";
import type { IdempotencyRecord } from "./store/insert-orders.ts";

export interface PlaceOrderDependencies {
  readonly repository: OrderRepository;
  readonly catalogue: Catalogue;
  readonly saga: OrderSaga;
  readonly admission: Admission;
  readonly crashPoints: CrashPoints;
  readonly log: Logger;
  readonly now: () => Date;
  /** From the begin of the request until the answer is PENDING, where the outcome is not known, in milliseconds. */
  readonly answerTimeoutMs: number;
}

interface Answer {
  /** The order as it stood when it was first answered: CONFIRMED, PENDING or REJECTED. */
  readonly order: Order;
  readonly replayed: boolean;
}

/** Most that an order may cost, in minor units: what an int64 of the contract and a bigint of the database can hold. */
const mostMinor = 2n ** 63n - 1n;

/**
 * The answer to a request; `throwIfRejected` turns a rejection into its error. A key means something only together with the user of
 * the request. Where `signal` aborts before the order is stored, nothing is stored; later it changes nothing.
 */
export async function placeOrder(
  request: PlaceOrderRequest,
  key: string | undefined,
  dependencies: PlaceOrderDependencies,
  signal?: AbortSignal,
): Promise<Answer> {
  const visit = await dependencies.admission.enter(signal);
  try {
    return await placeAdmitted(request, key, dependencies, visit, signal);
  } finally {
    visit.leave();
  }
}

async function placeAdmitted(
  request: PlaceOrderRequest,
  key: string | undefined,
  dependencies: PlaceOrderDependencies,
  visit: Visit,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const idempotency = key === undefined ? undefined : { key, fingerprint: fingerprintOf(request) };
  const { userId } = request;
  const known = idempotency && (await replay({ userId, ...idempotency }, dependencies));
  if (known !== undefined) return known;
  const order = await receive(request, idempotency, dependencies, signal);
  // Another request with the same key was quicker; it has the order.
  if (order === undefined) return placeAdmitted(request, key, dependencies, visit, signal);
  return settle(order, key, dependencies, visit);
}

/** The order where it was placed or may still be; throws the problem where it was rejected. */
export function throwIfRejected(answer: Answer): Order {
  if (answer.order.status === Order_Status.REJECTED) throw orderRejected(answer.order);
  return answer.order;
}

async function receive(
  request: PlaceOrderRequest,
  idempotency: IdempotencyRecord | undefined,
  { repository, catalogue, crashPoints, now }: PlaceOrderDependencies,
  signal: AbortSignal | undefined,
): Promise<StoredOrder | undefined> {
  const priced = await catalogue.price(request.items);
  const instant = now();
  const order = receiveOrder({
    ...priced,
    orderId: newOrderId(instant),
    userId: request.userId,
    address: request.address,
    paymentToken: request.paymentToken || "tok_visa",
    traceId: currentTraceId() ?? "",
    now: instant,
  });
  if (order.totalMinor > mostMinor) {
    throw new ValidationError([
      { field: "items", message: "exceed the maximum total of an order; place several orders" },
    ]);
  }
  requireExpectedTotal(request, order, priced);
  signal?.throwIfAborted();
  crashPoints.hit("receive.before-call");
  const inserted = await repository.insert({ order, idempotency });
  crashPoints.hit("receive.after-commit");
  return inserted ? order : undefined;
}

/** Refuses an order whose total is not what the customer saw; nothing is stored, so the key is good for another total. */
function requireExpectedTotal(
  { expectedTotal: expected }: PlaceOrderRequest,
  order: StoredOrder,
  { isCurrent }: PricedOrder,
): void {
  if (expected === undefined) return;
  const { totalMinor, currencyCode } = order;
  if (expected.minorUnits === totalMinor && expected.currencyCode === currencyCode) return;
  // Remembered prices may be the ones that are old.
  if (!isCurrent) throw catalogueUnavailable(undefined);
  throw priceChanged(orderView(order));
}

async function settle(
  order: StoredOrder,
  key: string | undefined,
  { repository, saga, crashPoints, answerTimeoutMs }: PlaceOrderDependencies,
  visit: Visit,
): Promise<Answer> {
  const driven = saga.drive(order, { hasKey: key !== undefined });
  const leftMs = Math.max(0, answerTimeoutMs - visit.elapsedMs());
  const settled = await visit.wait(withTimeout(driven, leftMs, () => undefined));
  const view = orderView(settled ?? (await repository.reload(order)));
  crashPoints.hit("answer.before-send");
  if (key === undefined) return { order: view, replayed: false };
  const owned = { userId: order.userId, key };
  // Whatever was stored first is the answer, also where the order has moved on since: mostly with the decision itself.
  const answer =
    (await repository.findKey(owned))?.answer ??
    (await repository.storeAnswer(owned, toBinary(OrderSchema, view)));
  return { order: fromBinary(OrderSchema, answer), replayed: false };
}

async function replay(
  { fingerprint, ...key }: OwnedKey & IdempotencyRecord,
  { repository }: PlaceOrderDependencies,
): Promise<Answer | undefined> {
  const known = await repository.findKey(key);
  if (known === undefined) return undefined;
  if (!sameBytes(known, fingerprint)) throw idempotencyKeyReused();
  if (known.answer === undefined) throw idempotencyKeyInUse(known.orderId);
  return { order: fromBinary(OrderSchema, known.answer), replayed: true };
}

function sameBytes(known: KnownKey, fingerprint: Uint8Array): boolean {
  return Buffer.compare(known.fingerprint, fingerprint) === 0;
}
