import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DeadLetterSchema } from "@smartcart/gen/ops/v1/dead_letter_pb";
import { batchesOf, deadLetterKey, stillThere, toggled } from "./dead-letter-selection.ts";

const deadLetter = (queue: string, messageId: string) =>
  create(DeadLetterSchema, { queue, messageId });
const deadLetters = [
  deadLetter("orders", "1"),
  deadLetter("shipments", "1"),
  deadLetter("orders", "2"),
];

test("ids are unique within a queue only", () => {
  const ticked = new Set([
    deadLetterKey(deadLetter("orders", "1")),
    deadLetterKey(deadLetter("shipments", "1")),
  ]);
  expect(batchesOf(deadLetters, ticked)).toEqual([
    { queue: "orders", messageIds: ["1"] },
    { queue: "shipments", messageIds: ["1"] },
  ]);
});

test("nothing ticked is nothing to do, and never everything", () => {
  expect(batchesOf(deadLetters, new Set())).toEqual([]);
  expect(batchesOf(deadLetters, new Set(["orders gone"]))).toEqual([]);
});

test("more than a call takes are several calls", () => {
  const many = Array.from({ length: 1_001 }, (_, index) => deadLetter("orders", String(index)));
  const batches = batchesOf(many, new Set(many.map(deadLetterKey)));
  expect(batches.map(({ messageIds }) => messageIds.length)).toEqual([500, 500, 1]);
});

test("a dead letter that is gone is ticked no more", () => {
  const ticked = toggled(toggled(new Set(), "orders 1"), "orders 9");
  expect([...stillThere(ticked, deadLetters)]).toEqual(["orders 1"]);
  expect([...toggled(ticked, "orders 9")]).toEqual(["orders 1"]);
});
