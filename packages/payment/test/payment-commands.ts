/** What may happen to payments, each as one step of the service and of its model, whose answers have to agree. */
import fc from "fast-check";
import { expect } from "vitest";
import type { Payment } from "@smartcart/gen/payment/v1/payment_pb";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { problemOf } from "@smartcart/mesh";
import { commandsOptions, waitFor } from "@smartcart/testkit";
import type { ModelAnswer, ModelCharge, PaymentModel } from "./payment-model.ts";
import type { Fault, ScriptedProvider } from "./scripted-provider.ts";
import { faults } from "./scripted-provider.ts";
import type { TestPayment, TestReplica } from "./support.ts";

/** The process that is running now, and the provider. */
export interface PaymentWorld {
  readonly payment: TestPayment;
  replica: TestReplica;
  readonly provider: ScriptedProvider;
  /** Keeps the orders of one run apart from those of another. */
  readonly prefix: string;
}

export const order = fc.integer({ min: 1, max: 3 }).map((number) => `order-${number}`);
export const fault = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Fault>("none") },
  { weight: 4, arbitrary: fc.constantFrom(...faults) },
);
export const charge = fc.record({
  minorUnits: fc.oneof(
    { weight: 6, arbitrary: fc.constant(1250n) },
    { weight: 1, arbitrary: fc.constant(1n) },
  ),
  token: fc.oneof(
    { weight: 2, arbitrary: fc.constant("tok_visa") },
    { weight: 1, arbitrary: fc.constantFrom("tok_declined", "tok_error") },
  ),
});
const refundFaults = fc.array(fault, { maxLength: 3 });

/** Any commands of these. */
export const commands = fc.commands(
  [
    fc.tuple(order, charge, fault).map(process),
    fc.tuple(order, charge, fault).map(process),
    fc.tuple(order, charge).map(processAtOnce),
    fc.tuple(order, charge, fault).map(process),
    fc.tuple(order, refundFaults).map(refund),
    fc.tuple(order, refundFaults).map(refund),
    fc.tuple(order, refundFaults).map(refund),
    order.map(refundAtOnce),
    order.map(find),
    fc.constant(deliverLate()),
    fc.tuple(order, charge).map(crash),
  ],
  { ...commandsOptions({ maxCommands: 20 }), size: "max" },
);

type PaymentCommand = fc.AsyncCommand<PaymentModel, PaymentWorld>;

/** A command that compares the answers, and then where the money is. */
function command(
  name: string,
  run: (model: PaymentModel, world: PaymentWorld) => Promise<void>,
): PaymentCommand {
  return {
    check: () => true,
    async run(model, world) {
      world.provider.plan([]);
      await run(model, world);
      expect(moneyOf(world), "money").toEqual(new Map(model.money));
      expect(violationsOf(world)).toEqual([]);
    },
    toString: () => name,
  };
}

function process([id, charge, fault]: readonly [string, ModelCharge, Fault]) {
  return command(`process(${id}, ${show(charge)}, ${fault})`, async (model, world) => {
    world.provider.plan([fault]);
    expect(await ask(world, id, charge)).toEqual(model.process(id, charge, [fault]));
  });
}

function processAtOnce([id, charge]: readonly [string, ModelCharge]) {
  return command(`process(${id}, ${show(charge)}) thrice at once`, async (model, world) => {
    const answers = await Promise.all([1, 2, 3].map(() => ask(world, id, charge)));
    const expected = model.process(id, charge, []);
    expect(answers).toEqual([expected, expected, expected]);
  });
}

function refund([id, faults]: readonly [string, readonly Fault[]]) {
  return command(`refund(${id}, ${faults.join(", ")})`, async (model, world) => {
    world.provider.plan(faults);
    expect(await askBack(world, id)).toEqual(model.refund(id, faults));
  });
}

function refundAtOnce(id: string) {
  return command(`refund(${id}) twice at once`, async (model, world) => {
    const answers = await Promise.all([1, 2].map(() => askBack(world, id)));
    const expected = model.refund(id, []);
    expect(answers).toEqual([expected, expected]);
  });
}

function find(id: string) {
  return command(`find(${id})`, async (model, world) => {
    expect(await look(world, id)).toEqual(model.find(id));
  });
}

function deliverLate() {
  return command("deliverLate", async (model, { provider }) => {
    provider.deliverLate();
    model.deliverLate();
  });
}

/** The process dies while the provider has taken the money and is silent; another one takes over. */
function crash([id, charge]: readonly [string, ModelCharge]) {
  return command(`crash while processing(${id}, ${show(charge)})`, async (model, world) => {
    world.provider.plan(["silence"]);
    const lost = ask(world, id, charge);
    model.process(id, charge, ["silence"]);
    // The provider was asked, or there was nothing to ask it for.
    await waitFor(() => JSON.stringify([...moneyOf(world)]) === JSON.stringify([...model.money]));
    await world.replica.service[Symbol.asyncDispose]();
    await lost;
    world.replica = await world.payment.addReplica();
    expect(await look(world, id)).toEqual(model.find(id));
  });
}

/** What a caller is told who asks for money. */
export function ask({ replica, prefix }: PaymentWorld, id: string, charge: ModelCharge) {
  return answerOf(
    replica.client.processPayment({
      orderId: prefix + id,
      userId: "u1",
      amount: { currencyCode: "USD", minorUnits: charge.minorUnits },
      paymentToken: charge.token,
    }),
  );
}

/** What a caller is told who wants it back. */
export function askBack({ replica, prefix }: PaymentWorld, id: string) {
  return answerOf(replica.client.refundPayment({ orderId: prefix + id }));
}

function look({ replica, prefix }: PaymentWorld, id: string) {
  return answerOf(replica.client.getPayment({ orderId: prefix + id }));
}

async function answerOf(call: Promise<{ payment?: Payment | undefined }>): Promise<ModelAnswer> {
  try {
    const { payment } = await call;
    const status = statuses[payment?.status ?? PaymentStatus.UNSPECIFIED] ?? "UNSPECIFIED";
    return { status, declineCode: payment?.declineCode ?? "" };
  } catch (error) {
    return { error: problemOf(error)?.code ?? String(error) };
  }
}

/** What the provider has done for the orders of this run. */
export function moneyOf({ provider, prefix }: PaymentWorld) {
  return new Map(
    [...provider.ledger]
      .filter(([chargeId]) => chargeId.startsWith(prefix))
      .map(([chargeId, { decision, refunded }]) => [
        chargeId.slice(prefix.length),
        { decision, refunded },
      ]),
  );
}

/** What the provider was asked for in this run that it must not be asked for. */
export function violationsOf({ provider, prefix }: PaymentWorld): string[] {
  return provider.violations.filter((violation) => violation.startsWith(prefix));
}

const statuses: Partial<Record<PaymentStatus, string>> = {
  [PaymentStatus.PENDING]: "PENDING",
  [PaymentStatus.CAPTURED]: "CAPTURED",
  [PaymentStatus.DECLINED]: "DECLINED",
  [PaymentStatus.FAILED]: "FAILED",
  [PaymentStatus.REFUNDED]: "REFUNDED",
};

function show({ minorUnits, token }: ModelCharge): string {
  return `${minorUnits} with ${token}`;
}
