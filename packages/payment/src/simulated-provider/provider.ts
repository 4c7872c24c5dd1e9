import type { Logger, Registry } from "@smartcart/runtime";
import { delay } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { createCoalescer, createDatabase, migrate } from "@smartcart/store";
import type { ChargeResult, PaymentProvider } from "../payment-provider.ts";
import type { Capture, LedgerDecision } from "./store.ts";
import { deleteEntries, findDecisions, insertCaptures, insertRefund, insertVoid } from "./store.ts";
import { planOf } from "./tokens.ts";

/** A provider that moves no money but keeps its books as if it did. */
export interface SimulatedProvider extends PaymentProvider, AsyncDisposable {
  /** Rejects where its ledger cannot be reached. */
  check(): Promise<void>;
}

/** What the simulated provider works with. */
export interface SimulatedProviderOptions {
  readonly databaseUrl: string;
  /** How late the answer to `tok_slow` is, in milliseconds. */
  readonly slowMs: number;
  /** For demonstrations: whether every new charge is declined now. Default: never. */
  readonly isDeclining?: () => boolean;
  readonly log: Logger;
  readonly metrics: Registry;
}

/**
 * Starts the simulated provider. Its ledger is in a schema of its own (`payment_provider`) on connections of its own,
 * because in real life it is another company's: no transaction of ours ever spans both.
 *
 * The token says what happens; see the README. `tok_slow` and `tok_timeout` take the money at once: only the *answer*
 * to the first call is late or lost, and asking again is answered promptly.
 */
export async function startSimulatedProvider(
  o: SimulatedProviderOptions,
): Promise<SimulatedProvider> {
  await using starting = new AsyncDisposableStack();
  const database = starting.use(
    createDatabase({
      url: o.databaseUrl,
      schema: "payment_provider",
      log: o.log,
      metrics: o.metrics,
      maxConnections: 4,
      avoidSequentialScans: true,
    }),
  );
  await migrate(database, {
    name: "payment_provider",
    directory: new URL("./migrations/", import.meta.url),
  });
  const running = starting.move();
  return {
    charge: createCharge(database, o),

    async refund({ chargeId, reason }) {
      // First void, then refund: whichever way a concurrent charge falls, one of the two meets it.
      await insertVoid(database, chargeId, reason);
      await insertRefund(database, chargeId, reason);
      const [decision] = await findDecisions(database, [chargeId]);
      return decision?.kind === "capture"
        ? { status: "refunded", reference: decision.reference }
        : { status: "closed" };
    },

    async lookup({ chargeId }) {
      const [decision] = await findDecisions(database, [chargeId]);
      return decision && toResult(decision);
    },

    forget: (chargeIds) => deleteEntries(database, chargeIds),

    check: () => database.ping(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function createCharge(
  database: Database,
  o: Pick<SimulatedProviderOptions, "slowMs" | "isDeclining">,
): PaymentProvider["charge"] {
  const capture = createCoalescer<Capture, LedgerDecision>({
    name: "payment_provider.capture",
    maxItems: 256,
    maxConcurrent: 2,
    async run(captures) {
      const decisions = await insertCaptures(database, captures);
      return captures.map((wanted) => decided(wanted, decisions.get(wanted.chargeId)));
    },
  });
  return async ({ chargeId, amount, token, signal }) => {
    const plan = planOf(token);
    if (plan.kind === "decline") return { status: "declined", declineCode: plan.declineCode };
    if (plan.kind === "fail") return { status: "failed", declineCode: plan.declineCode };
    if (o.isDeclining?.()) return declineIfNew(database, chargeId);
    const decision = await capture({ chargeId, amount });
    if (decision.isNew && plan.firstAnswer === "slow") await delay(o.slowMs, signal);
    if (decision.isNew && plan.firstAnswer === "lost") await lostAnswer(signal);
    return toResult(decision);
  };
}

/** Declines for good, so that no other process takes the money a moment later; what was taken before stays taken. */
async function declineIfNew(database: Queryable, chargeId: string): Promise<ChargeResult> {
  await insertVoid(database, chargeId, "demo");
  const [decision] = await findDecisions(database, [chargeId]);
  return decision?.kind === "capture"
    ? toResult(decision)
    : { status: "declined", declineCode: "demo" };
}

/** Like a real provider's idempotency check: one id stands for one amount. */
function decided(wanted: Capture, decision: LedgerDecision | undefined): LedgerDecision | Error {
  if (!decision) return new Error(`the ledger has no entry for charge "${wanted.chargeId}"`);
  if (decision.kind === "capture" && decision.amountMinor !== wanted.amount.minorUnits) {
    return new Error(`charge "${wanted.chargeId}" was made with another amount`);
  }
  return decision;
}

function toResult(decision: LedgerDecision): ChargeResult {
  return decision.kind === "capture"
    ? { status: "captured", reference: decision.reference }
    : { status: "failed", declineCode: "closed" };
}

/** Never answers; rejects when the caller gives up. */
function lostAnswer(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
