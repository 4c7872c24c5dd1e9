import { expect, it } from "vitest";
import type { Answer, Repetition } from "../load/shopper.ts";
import { invariantsOfAnswers } from "./rolling-restart.ts";

const wish = { key: "k", body: { userId: "u", items: [], address: "a", paymentToken: "tok_visa" } };
const answer = (httpStatus: number, says: string): Answer => ({
  httpStatus,
  says,
  orderId: "ORD-1",
  text: "",
  replayed: false,
  firstMs: 1,
  tookMs: 1,
});
const again = (...reasons: string[]): Repetition => ({ operation: "place", key: "k", reasons });

function broken(
  placed: Answer[],
  repeated: Repetition[],
  states: Record<string, number> = { SHIPPED: placed.length },
) {
  const findings = { placed: placed.map((one) => ({ wish, answer: one })), repeated };
  return invariantsOfAnswers(findings, { states })
    .filter(({ count }) => count > 0)
    .map(({ invariant }) => invariant);
}

it("allows one repetition of a request, and no more", () => {
  expect(broken([answer(201, "CONFIRMED")], [again("ECONNRESET")])).toEqual([]);
  expect(broken([answer(201, "CONFIRMED")], [again("ECONNRESET", "503 OVERLOADED")])).toEqual([
    "one repetition is enough",
  ]);
});

it("reports every rejected order, at once or later", () => {
  expect(broken([answer(202, "PENDING")], [])).toEqual([]);
  expect(broken([answer(409, "OUT_OF_STOCK")], [], {})).toEqual(["no order is rejected"]);
  expect(broken([answer(202, "PENDING")], [], { REJECTED: 1 })).toEqual(["no order is rejected"]);
});
