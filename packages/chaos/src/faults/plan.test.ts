import { expect, it } from "vitest";
import { createRandom } from "../random.ts";
import { fullReplicas, instanceNames, linkNames } from "../system/system-topology.ts";
import type { FaultKind } from "./plan.ts";
import { createPlan, faultKinds } from "./plan.ts";

const kinds = Object.keys(faultKinds) as FaultKind[];
const planOf = (seed: number, spanMs = 120_000) =>
  createPlan({ random: createRandom(seed), kinds, spanMs, replicas: fullReplicas });

it("is the same for the same seed", () => {
  expect(planOf(1)).toEqual(planOf(1));
  expect(planOf(1)).not.toEqual(planOf(2));
});

it("has every kind of fault, in time order and within the time", () => {
  const plan = planOf(5);
  expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(kinds));
  expect(plan.map(({ atMs }) => atMs)).toEqual(
    plan.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
  );
  expect(plan.every(({ atMs }) => atMs < 120_000)).toBe(true);
});

it("reaches every process and every link, given time", () => {
  const targets = new Set(planOf(9, 6_000_000).map(({ target }) => target));
  expect(
    [...instanceNames(fullReplicas), ...linkNames(fullReplicas)].filter((t) => !targets.has(t)),
  ).toEqual([]);
});
