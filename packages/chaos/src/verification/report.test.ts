import { expect, it } from "vitest";
import type { Verdict } from "./report.ts";
import { find, formatVerdict, withFindings } from "./report.ts";

const verdict: Verdict = {
  seed: 7,
  orders: 10,
  loadMs: 1_500,
  answers: { CONFIRMED: 9, PENDING: 1 },
  unknown: {},
  states: { SHIPPED: 10 },
  waitedMs: { p50: 12, p99: 80, max: 100 },
  restMs: 900,
  restBoundMs: 60_000,
  watched: 1,
  resyncs: 0,
  reconnects: 0,
  replays: 2,
  gaveUp: [],
  invariants: ["stock adds up"],
  violations: [],
  traces: [],
  passed: true,
};

it("says of each invariant whether it held", () => {
  const page = formatVerdict(withFindings(verdict, [find("all drain", "Each one.", [])]), []);
  expect(page).toContain("kept    stock adds up");
  expect(page).toContain("kept    all drain");
  expect(page).toContain("PASSED");
});

it("fails with what contradicts an invariant, and the seed", () => {
  const row = {
    instance: "order-1",
    user_id: "ada",
    held: { address: "1 Main St", paymentToken: "" },
  };
  const failed = withFindings(verdict, [find("all drain", "Each one.", [row])]);
  const page = formatVerdict(failed, ["another line"]);
  expect(failed.passed).toBe(false);
  expect(page).toContain("BROKEN  all drain: 1");
  expect(page).toContain(
    'all drain: Each one.\n    {"instance":"order-1","user_id":"[redacted]","held":',
  );
  expect(page).not.toMatch(/ada|Main St/);
  expect(page).toContain("another line");
  expect(page).toContain("FAILED: run again with --seed 7");
});
