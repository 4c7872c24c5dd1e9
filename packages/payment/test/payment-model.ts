/** The contract of the payment service with a provider behind a bad network, for calls one after the other. */
import type { Entry, Fault } from "./scripted-provider.ts";
import { decisionOf } from "./scripted-provider.ts";

export interface ModelCharge {
  readonly minorUnits: bigint;
  readonly token: string;
}

export type ModelAnswer = { status: string; declineCode: string } | { error: string };

interface ModelPayment {
  /** Undefined where a refund came first. */
  readonly charge: ModelCharge | undefined;
  status: "PENDING" | "CAPTURED" | "DECLINED" | "FAILED" | "REFUNDED";
  declineCode: string;
}

type Decision = Entry["decision"];
const unknown = { error: "PAYMENT_OUTCOME_UNKNOWN" };

export class PaymentModel {
  /** What the provider has done. */
  readonly money = new Map<string, { decision: Decision; refunded: boolean }>();
  readonly #payments = new Map<string, ModelPayment>();
  #late: (() => void)[] = [];

  process(orderId: string, charge: ModelCharge, [fault = "none"]: readonly Fault[]): ModelAnswer {
    const payment = this.#payments.get(orderId) ?? {
      ...{ charge, status: "PENDING" as const, declineCode: "" },
    };
    this.#payments.set(orderId, payment);
    const first = payment.charge;
    if (first && first.minorUnits !== charge.minorUnits) return { error: "PAYMENT_EXISTS" };
    if (payment.status !== "PENDING" || !first) return answerOf(payment);
    // Who asks again asks for the same: it is the first token that counts.
    const decision = this.#call(fault, () => this.#charge(orderId, first.token));
    if (!decision) return unknown;
    settle(payment, decision);
    return answerOf(payment);
  }

  refund(orderId: string, faults: readonly Fault[]): ModelAnswer {
    const calls = [...faults];
    const call = <T>(run: () => T) => this.#call(calls.shift() ?? "none", run);
    const payment = this.#payments.get(orderId) ?? {
      ...{ charge: undefined, status: "FAILED" as const, declineCode: "closed" },
    };
    this.#payments.set(orderId, payment);
    if (payment.status === "PENDING") {
      const found = call(() => this.money.get(orderId)?.decision ?? "nothing");
      if (!found) return unknown;
      const decision = found === "nothing" ? call(() => this.#refund(orderId)) : found;
      if (!decision) return unknown;
      settle(payment, decision);
    }
    if (payment.status === "CAPTURED") {
      if (!call(() => this.#refund(orderId))) return unknown;
      payment.status = "REFUNDED";
    }
    return answerOf(payment);
  }

  find(orderId: string): ModelAnswer {
    const payment = this.#payments.get(orderId);
    return payment ? answerOf(payment) : { error: "PAYMENT_NOT_FOUND" };
  }

  deliverLate(): void {
    const arriving = this.#late;
    this.#late = [];
    for (const run of arriving) run();
  }

  /** Undefined where the caller does not learn what came of it. */
  #call<T>(fault: Fault, run: () => T): T | undefined {
    switch (fault) {
      case "none":
      case "twice":
        return run();
      case "late-request":
        this.#late.push(run);
        return undefined;
      case "lost-request":
        return undefined;
      case "lost-answer":
      case "silence":
        run();
        return undefined;
    }
  }

  #charge(orderId: string, token: string): Decision {
    const known = this.money.get(orderId) ?? { decision: decisionOf(token), refunded: false };
    this.money.set(orderId, known);
    return known.decision;
  }

  #refund(orderId: string): Decision {
    const known = this.money.get(orderId) ?? { decision: "closed" as const, refunded: false };
    if (known.decision === "captured") known.refunded = true;
    this.money.set(orderId, known);
    return known.decision === "captured" ? "captured" : "closed";
  }
}

function settle(payment: ModelPayment, decision: Decision): void {
  payment.status = decision === "closed" ? "FAILED" : statuses[decision];
  if (decision === "closed") payment.declineCode = "closed";
  else if (decision !== "captured") payment.declineCode = `code_${decision}`;
}

const statuses = { captured: "CAPTURED", declined: "DECLINED", failed: "FAILED" } as const;

function answerOf({ status, declineCode }: ModelPayment): ModelAnswer {
  return { status, declineCode };
}
