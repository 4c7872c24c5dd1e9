import type { Queryable } from "@smartcart/store";
import type { Charge, Payment, PaymentStatus, Settlement } from "./payment.ts";
import { closedCode } from "./payment.ts";

/** A payment that an order asks for. */
export interface PaymentRequest extends Charge {
  readonly orderId: string;
  readonly paymentToken: string;
}

interface PaymentRow {
  order_id: string;
  user_id: string | null;
  currency_code: string | null;
  amount_minor: string | null;
  payment_token: string | null;
  status: PaymentStatus;
  decline_code: string;
  provider_reference: string;
  created_at: Date;
  updated_at: Date;
}

const columns = `order_id, user_id, currency_code, amount_minor, payment_token, status, decline_code,
  provider_reference, created_at, updated_at`;

/**
 * Writes a PENDING row for every order that has none, all in one statement, and answers the payment of each order,
 * new or old. Of two requests for one order within the batch the first one is written.
 */
export async function openPayments(
  db: Queryable,
  requests: readonly PaymentRequest[],
): Promise<Map<string, Payment>> {
  const { rows } = await db.query<PaymentRow>({
    name: "payment.open_payments",
    // Sorted by id, so that two batches with the same orders wait for each other instead of deadlocking.
    text: `insert into payment (order_id, user_id, currency_code, amount_minor, payment_token, status)
      select order_id, user_id, currency_code, amount_minor, payment_token, 'PENDING'
      from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[]) with ordinality
        as request (order_id, user_id, currency_code, amount_minor, payment_token, position)
      order by order_id, position
      on conflict (order_id) do nothing
      returning ${columns}`,
    values: [
      requests.map((request) => request.orderId),
      requests.map((request) => request.userId),
      requests.map((request) => request.amount.currencyCode),
      requests.map((request) => String(request.amount.minorUnits)),
      requests.map((request) => request.paymentToken),
    ],
  });
  return withOthers(
    db,
    rows,
    requests.map((request) => request.orderId),
  );
}

/**
 * Writes the provider's answers, all in one statement, and answers every payment as it now stands. One that is no
 * longer PENDING was settled by another process and is left as it is.
 */
export async function settlePayments(
  db: Queryable,
  settlements: readonly Settlement[],
): Promise<Map<string, Payment>> {
  // The rows are locked in the order of their ids, so that two processes with the same orders cannot deadlock.
  const { rows } = await db.query<PaymentRow>({
    name: "payment.settle_payments",
    text: `with pending as (
        select order_id from payment
        where order_id = any($1::text[]) and status = 'PENDING' order by order_id for update)
      update payment p set status = s.status, decline_code = s.decline_code,
        provider_reference = s.provider_reference, payment_token = null, updated_at = now()
      from unnest($1::text[], $2::text[], $3::text[], $4::text[])
          as s (settled_id, status, decline_code, provider_reference)
        join pending on pending.order_id = s.settled_id
      where p.order_id = any($1::text[]) and p.order_id = s.settled_id and p.status = 'PENDING'
      returning ${columns.replaceAll(/\w+/g, "p.$&")}`,
    values: [
      settlements.map((settlement) => settlement.orderId),
      settlements.map((settlement) => settlement.status),
      settlements.map((settlement) => settlement.declineCode),
      settlements.map((settlement) => settlement.providerReference),
    ],
  });
  return withOthers(
    db,
    rows,
    settlements.map((settlement) => settlement.orderId),
  );
}

/** In how many milliseconds `leasePending` finds a payment; 0 where it does now, Infinity where none is pending. */
export async function pendingDueInMs(db: Queryable, restMs: number): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: "payment.pending_due",
    text: `select greatest(0, $1::bigint - extract(epoch from now() - asked_at) * 1000)::float8 as ms
      from payment where status = 'PENDING' order by asked_at limit 1`,
    values: [restMs],
  });
  return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
}

/** Leases up to `limit` payments that were not looked up for `restMs`, for as long again. */
export async function leasePending(
  db: Queryable,
  limit: number,
  restMs: number,
): Promise<Payment[]> {
  const { rows } = await db.query<PaymentRow>({
    name: "payment.lease_pending",
    // Each process runs a poller: `skip locked` gives them different rows, and `asked_at` keeps a row from the others for `restMs`.
    // The ids are an array because the planner then reads the partial index once, whatever it estimates.
    text: `update payment set asked_at = now()
      where order_id = any (array(
        select order_id from payment
        where status = 'PENDING' and asked_at < now() - $2::bigint * interval '1 millisecond'
        order by asked_at limit $1 for update skip locked))
      returning ${columns}`,
    values: [limit, restMs],
  });
  return rows.map(toPayment);
}

/** Reads payments by order; orders without one are left out. */
export async function findPayments(
  db: Queryable,
  orderIds: readonly string[],
): Promise<Map<string, Payment>> {
  const { rows } = await db.query<PaymentRow>({
    name: "payment.find_payments",
    text: `select ${columns} from payment where order_id = any($1::text[])`,
    values: [orderIds],
  });
  return new Map(rows.map((row) => [row.order_id, toPayment(row)]));
}

/** Closes an order that has no payment, so that a later request for money takes none. Leaves any other as it is. */
export async function closeUnknownPayment(
  db: Queryable,
  orderId: string,
  reason: string,
): Promise<void> {
  await db.query({
    text: `insert into payment (order_id, status, decline_code, refund_reason)
      values ($1, 'FAILED', $2, $3) on conflict (order_id) do nothing`,
    values: [orderId, closedCode, reason],
  });
}

/** Turns CAPTURED into REFUNDED; leaves any other payment as it is. */
export async function markRefunded(db: Queryable, orderId: string, reason: string): Promise<void> {
  await db.query({
    text: `update payment set status = 'REFUNDED', refund_reason = $2, updated_at = now()
      where order_id = $1 and status = 'CAPTURED'`,
    values: [orderId, reason],
  });
}

/** Clears the user of those of these payments that are not PENDING, and answers of how many. */
export async function erasePayments(db: Queryable, orderIds: readonly string[]): Promise<number> {
  const { rowCount } = await db.query({
    name: "payment.erase",
    text: `update payment set user_id = ''
      where order_id = any($1::text[]) and user_id <> '' and status <> 'PENDING'`,
    values: [orderIds],
  });
  return rowCount;
}

/** Deletes those of these payments that are not PENDING. Answers the ids without a payment now, also those that had none. */
export async function deletePayments(
  db: Queryable,
  orderIds: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await db.query<{ order_id: string }>({
    name: "payment.delete",
    text: `with deleted as (
        delete from payment where order_id = any($1::text[]) and status <> 'PENDING')
      select id as order_id from unnest($1::text[]) as id
      where not exists (select from payment p where p.order_id = id and p.status = 'PENDING')`,
    values: [orderIds],
  });
  return rows.map((row) => row.order_id);
}

/** The payments that a statement returned, and those of the other orders as they stand. */
async function withOthers(
  db: Queryable,
  rows: readonly PaymentRow[],
  orderIds: readonly string[],
): Promise<Map<string, Payment>> {
  const written = new Map(rows.map((row) => [row.order_id, toPayment(row)]));
  const others = [...new Set(orderIds)].filter((orderId) => !written.has(orderId));
  if (others.length === 0) return written;
  return new Map([...written, ...(await findPayments(db, others))]);
}

function toPayment(row: PaymentRow): Payment {
  const { user_id: userId, currency_code: currencyCode, amount_minor: amountMinor } = row;
  const isKnown = userId !== null && currencyCode !== null && amountMinor !== null;
  return {
    orderId: row.order_id,
    charge: isKnown
      ? { userId, amount: { currencyCode, minorUnits: BigInt(amountMinor) } }
      : undefined,
    status: row.status,
    declineCode: row.decline_code,
    providerReference: row.provider_reference,
    paymentToken: row.payment_token ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
