/**
 * A provider that keeps what it promises, behind a network that does not: each call meets the fault that was planned
 * for it. Its ledger is what really happened to the money.
 */
import type { ChargeResult, Money, PaymentProvider, RefundResult } from "../src/index.ts";

export const faults = [
  "none",
  /** The call fails, and nothing was done. */
  "lost-request",
  /** The call fails, and it was done. */
  "lost-answer",
  /** The charge succeeds, and no answer comes until the caller gives up. */
  "silence",
  /** The call fails, and arrives at the provider some time later. */
  "late-request",
  /** The call arrives twice. */
  "twice",
] as const;

export type Fault = (typeof faults)[number];

/** What the provider has decided about a charge, and whether it gave the money back. */
export interface Entry {
  decision: "captured" | "declined" | "failed" | "closed";
  amount: Money | undefined;
  refunded: boolean;
}

export interface ScriptedProvider extends PaymentProvider {
  /** The faults of the calls to come, in order; none beyond the list. */
  plan(faults: readonly Fault[]): void;
  /** Lets the requests arrive that were late. */
  deliverLate(): void;
  readonly ledger: ReadonlyMap<string, Entry>;
  /** Requests that the port forbids: a charge repeated with another amount or token. */
  readonly violations: string[];
}

export function createScriptedProvider(): ScriptedProvider {
  const ledger = new Map<string, Entry>();
  const asked = new Map<string, string>();
  const violations: string[] = [];
  let planned: Fault[] = [];
  let late: (() => void)[] = [];

  async function call<T>(signal: AbortSignal, run: () => T): Promise<T> {
    const fault = planned.shift() ?? "none";
    if (fault === "lost-request") throw new Error("the request was lost");
    if (fault === "late-request") {
      late.push(run);
      throw new Error("the connection broke");
    }
    const answer = run();
    if (fault === "twice") return run();
    if (fault === "lost-answer") throw new Error("the answer was lost");
    if (fault === "silence") await aborted(signal);
    return answer;
  }

  function charge(chargeId: string, amount: Money, token: string): ChargeResult {
    const request = `${amount.minorUnits} ${amount.currencyCode} ${token}`;
    if (request !== (asked.get(chargeId) ?? request)) violations.push(`${chargeId}: ${request}`);
    asked.set(chargeId, request);
    const entry = ledger.get(chargeId) ?? { decision: decisionOf(token), amount, refunded: false };
    ledger.set(chargeId, entry);
    return resultOf(chargeId, entry);
  }

  function refund(chargeId: string): RefundResult {
    const entry = ledger.get(chargeId) ?? {
      ...{ decision: "closed", amount: undefined, refunded: false },
    };
    ledger.set(chargeId, entry as Entry);
    if (entry.decision !== "captured") return { status: "closed" };
    entry.refunded = true;
    return { status: "refunded", reference: chargeId };
  }

  return {
    charge: ({ chargeId, amount, token, signal }) =>
      call(signal, () => charge(chargeId, amount, token)),
    refund: ({ chargeId, signal }) => call(signal, () => refund(chargeId)),
    lookup: ({ chargeId, signal }) =>
      call(signal, () => {
        const entry = ledger.get(chargeId);
        return entry && resultOf(chargeId, entry);
      }),
    plan(faults) {
      planned = [...faults];
    },
    deliverLate() {
      const arriving = late;
      late = [];
      for (const run of arriving) run();
    },
    ledger,
    violations,
  };
}

export function decisionOf(token: string): Entry["decision"] {
  if (token === "tok_declined") return "declined";
  return token === "tok_error" ? "failed" : "captured";
}

function resultOf(chargeId: string, { decision }: Entry): ChargeResult {
  switch (decision) {
    case "captured":
      return { status: "captured", reference: chargeId };
    case "declined":
    case "failed":
      return { status: decision, declineCode: `code_${decision}` };
    case "closed":
      return { status: "failed", declineCode: "closed" };
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
