import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FaultSwitchSchema } from "@smartcart/gen/ops/v1/instance_report_pb";
import {
  answered,
  asReported,
  refused,
  reported,
  shownValue,
  switchKey,
  turned,
} from "./fault-switch-values.ts";

const at = (value: bigint) =>
  create(FaultSwitchSchema, { service: "payment", name: "decline", value, max: 1n });
const key = switchKey(at(0n));

test("a snapshot from before the click does not turn the switch back", () => {
  const meant = turned(asReported, key, 1n);
  expect(shownValue(reported(meant, [at(0n)]), at(0n))).toBe(1n);
  expect(shownValue(reported(answered(meant, key, 1n), [at(0n)]), at(0n))).toBe(1n);
});

test("when the snapshots show it, they count again", () => {
  const settled = reported(answered(turned(asReported, key, 1n), key, 1n), [at(1n)]);
  expect(settled.meant.size).toBe(0);
  expect(shownValue(settled, at(0n))).toBe(0n);
});

test("a switch that another operator turned back is shown as reported in the end", () => {
  let values = answered(asReported, key, 1n);
  for (let snapshots = 0; snapshots < 3; snapshots += 1) values = reported(values, [at(0n)]);
  expect(shownValue(values, at(0n))).toBe(0n);
});

test("what did not work is shown as it is", () => {
  expect(shownValue(refused(turned(asReported, key, 1n), key), at(0n))).toBe(0n);
});
