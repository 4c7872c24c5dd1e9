/** The service over a provider whose requests and answers are lost, late and doubled, against what it promises. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { propertyOptions } from "@smartcart/testkit";
import type { PaymentWorld } from "./payment-commands.ts";
import {
  ask,
  askBack,
  charge,
  commands,
  fault,
  moneyOf,
  order,
  violationsOf,
} from "./payment-commands.ts";
import type { ModelAnswer, ModelCharge } from "./payment-model.ts";
import { PaymentModel } from "./payment-model.ts";
import { createScriptedProvider } from "./scripted-provider.ts";
import type { TestPayment, TestReplica } from "./support.ts";
import { startTestPayment } from "./support.ts";

const provider = createScriptedProvider();
let payment: TestPayment;
let other: TestReplica;
beforeAll(async () => {
  // Long patience, since a batch that gives up on a slow machine is no answer of the provider.
  const env = { PROVIDER_TIMEOUT_MS: "25", PAYMENT_BATCH_PATIENCE_MS: "10000" };
  payment = await startTestPayment(env, provider);
  other = await payment.addReplica();
});
afterAll(() => payment[Symbol.asyncDispose]());

let runs = 0;
let replica: TestReplica | undefined;

it("answers as the model does, call after call, and moves money as often as it says", async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      const model = new PaymentModel();
      const world = newWorld(replica ?? payment);
      try {
        await fc.asyncModelRun(() => ({ model, real: world }), steps);
      } finally {
        // The next run goes on with the process that is alive.
        replica = world.replica;
      }
    }),
    propertyOptions({ numRuns: 20 }),
  );
});

type Call =
  | { readonly kind: "process"; readonly id: string; readonly charge: ModelCharge }
  | { readonly kind: "refund"; readonly id: string };

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("process"), id: order, charge }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("refund"), id: order }) },
);
/** Calls that are made at once, with the faults that the provider's calls meet, in rounds. */
const round = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 6 }),
  faults: fc.array(fault, { maxLength: 10 }),
});

it("takes and gives back money once where processes race, and never calls failed what it does not know", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), async (rounds) => {
      const worlds = [newWorld(replica ?? payment), newWorld(other, runs)] as const;
      const told: { id: string; answer: ModelAnswer }[] = [];
      for (const { calls, faults } of rounds) {
        provider.plan(faults);
        const answers = calls.map(async (each, index) => ({
          id: each.id,
          answer: await make(each, worlds[index % 2] as PaymentWorld),
        }));
        told.push(...(await Promise.all(answers)));
      }
      provider.deliverLate();
      provider.plan([]);
      for (const id of new Set(told.map((each) => each.id))) {
        const answer = await settle(worlds[0], id, refundsOf(rounds).has(id));
        told.push({ id, answer });
        const kept = "status" in answer && answer.status === "CAPTURED";
        const entry = moneyOf(worlds[0]).get(id);
        expect(entry?.decision === "captured" && !entry.refunded, show(id)).toBe(kept);
      }
      expect(violationsOf(worlds[0])).toEqual([]);
      const money = moneyOf(worlds[0]);
      for (const { id, answer } of told) expect(agrees(answer, money.get(id)), show(id)).toBe(true);

      function show(id: string): string {
        const answers = told.filter((each) => each.id === id).map(({ answer }) => answer);
        return JSON.stringify({ id, answers, money: moneyOf(worlds[0]).get(id) });
      }
    }),
    propertyOptions({ numRuns: 40 }),
  );
});

type Money = ReturnType<typeof moneyOf> extends Map<string, infer T> ? T : never;

/** Whether what a caller was told at any time is true of what happened to the money, and will remain so. */
function agrees(answer: ModelAnswer, money: Money | undefined): boolean {
  if ("error" in answer) return /^PAYMENT_(EXISTS|OUTCOME_UNKNOWN)$/.test(answer.error);
  switch (answer.status) {
    case "CAPTURED":
      return money?.decision === "captured";
    case "REFUNDED":
      return money?.decision === "captured" && money.refunded;
    case "DECLINED":
      return money?.decision === "declined";
    case "FAILED":
      return money === undefined || money.decision === "failed" || money.decision === "closed";
    default:
      return false;
  }
}

/** Asks again until the service knows where the order stands: for money, or for money back where that was wanted. */
async function settle(world: PaymentWorld, id: string, back: boolean): Promise<ModelAnswer> {
  if (back) return askBack(world, id);
  const answer = await ask(world, id, { minorUnits: 1250n, token: "" });
  // It was the other amount that came first.
  return "error" in answer ? ask(world, id, { minorUnits: 1n, token: "" }) : answer;
}

function refundsOf(rounds: readonly { calls: readonly Call[] }[]): Set<string> {
  const calls = rounds.flatMap((each) => each.calls);
  return new Set(calls.filter((each) => each.kind === "refund").map(({ id }) => id));
}

function make(call: Call, world: PaymentWorld): Promise<ModelAnswer> {
  return call.kind === "refund" ? askBack(world, call.id) : ask(world, call.id, call.charge);
}

function newWorld(replica: TestReplica, run = ++runs): PaymentWorld {
  return { payment, replica, provider, prefix: `run-${process.pid}-${run}-` };
}
