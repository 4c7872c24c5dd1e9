import type { Queryable } from "@smartcart/store";
import type { Money } from "../payment-provider.ts";

/** Money to be taken under an id. */
export interface Capture {
  readonly chargeId: string;
  readonly amount: Money;
}

/** The entry that decided a charge: a capture, or a void that rules one out. */
export interface LedgerDecision {
  readonly chargeId: string;
  readonly kind: "capture" | "void";
  /** The provider's own name for the entry. */
  readonly reference: string;
  readonly amountMinor: bigint;
  /** Whether this call wrote it. */
  readonly isNew: boolean;
}

interface DecisionRow {
  entry_id: string;
  charge_id: string;
  kind: "capture" | "void";
  amount_minor: string;
}

/**
 * Writes captures, all in one statement, and answers per charge id the entry that decides it: the new one, or the one
 * that was there before. A duplicate id within the batch is written once, with the amount that came first.
 */
export async function insertCaptures(
  db: Queryable,
  captures: readonly Capture[],
): Promise<Map<string, LedgerDecision>> {
  const { rows } = await db.query<DecisionRow>({
    name: "payment_provider.insert_captures",
    // The unique index on captures and voids decides races: of a charge and a void of one id, the first insert wins.
    text: `insert into ledger_entry (charge_id, kind, currency_code, amount_minor)
      select charge_id, 'capture', currency_code, amount_minor
      from unnest($1::text[], $2::text[], $3::bigint[])
        with ordinality as capture (charge_id, currency_code, amount_minor, position)
      order by charge_id, position
      on conflict (charge_id) where kind in ('capture', 'void') do nothing
      returning entry_id, charge_id, kind, amount_minor`,
    values: [
      captures.map((capture) => capture.chargeId),
      captures.map((capture) => capture.amount.currencyCode),
      captures.map((capture) => String(capture.amount.minorUnits)),
    ],
  });
  const decisions = new Map(rows.map((row) => [row.charge_id, toDecision(row, true)]));
  const others = captures.map((c) => c.chargeId).filter((id) => !decisions.has(id));
  if (others.length > 0) {
    for (const decision of await findDecisions(db, others)) {
      decisions.set(decision.chargeId, decision);
    }
  }
  return decisions;
}

/** Reads the deciding entries of some charges; charges without one are left out. */
export async function findDecisions(
  db: Queryable,
  chargeIds: readonly string[],
): Promise<LedgerDecision[]> {
  const { rows } = await db.query<DecisionRow>({
    name: "payment_provider.find_decisions",
    text: `select entry_id, charge_id, kind, amount_minor from ledger_entry
      where charge_id = any($1::text[]) and kind in ('capture', 'void')`,
    values: [chargeIds],
  });
  return rows.map((row) => toDecision(row, false));
}

/** Rules a capture out, unless there is one. */
export async function insertVoid(db: Queryable, chargeId: string, reason: string): Promise<void> {
  await db.query({
    text: `insert into ledger_entry (charge_id, kind, amount_minor, reason) values ($1, 'void', 0, $2)
      on conflict (charge_id) where kind in ('capture', 'void') do nothing`,
    values: [chargeId, reason],
  });
}

/** Gives a capture back in full, where there is one that was not given back yet. */
export async function insertRefund(db: Queryable, chargeId: string, reason: string): Promise<void> {
  await db.query({
    text: `insert into ledger_entry (charge_id, kind, currency_code, amount_minor, reason)
      select charge_id, 'refund', currency_code, amount_minor, $2 from ledger_entry
      where charge_id = $1 and kind = 'capture'
      on conflict (charge_id) where kind = 'refund' do nothing`,
    values: [chargeId, reason],
  });
}

/** Deletes all entries of these charges. Two statements in one, each by an index of its own. */
export async function deleteEntries(db: Queryable, chargeIds: readonly string[]): Promise<void> {
  await db.query({
    name: "payment_provider.delete_entries",
    text: `with decisions as (
        delete from ledger_entry where charge_id = any($1::text[]) and kind in ('capture', 'void'))
      delete from ledger_entry where charge_id = any($1::text[]) and kind = 'refund'`,
    values: [chargeIds],
  });
}

function toDecision(row: DecisionRow, isNew: boolean): LedgerDecision {
  return {
    chargeId: row.charge_id,
    kind: row.kind,
    reference: `sim_${row.entry_id}`,
    amountMinor: BigInt(row.amount_minor),
    isNew,
  };
}
