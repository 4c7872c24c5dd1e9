import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { LogRecordSchema } from "@smartcart/gen/log/v1/log_pb";
import type { LogLines } from "./log-lines.ts";
import { addLines, addOlder, maxLines, noLines, release } from "./log-lines.ts";

const records = (...ids: (number | string)[]) =>
  ids.map((id) => create(LogRecordSchema, { recordId: String(id) }));
const ids = (list: LogLines["shown"]) => list.map(({ recordId }) => recordId).join(" ");

test("the newest stands first, and nothing twice", () => {
  const lines = addLines(addLines(noLines, records(1, 2), false), records(2, 3), false);
  expect(ids(lines.shown)).toBe("3 2 1");
});

test("while an operator reads, new lines wait, and are counted", () => {
  const held = addLines(addLines(noLines, records(1), false), records(2, 3), true);
  expect([ids(held.shown), held.waitingCount]).toEqual(["1", 2]);
  const released = release(held);
  expect([ids(released.shown), released.waitingCount]).toEqual(["3 2 1", 0]);
});

test("a flood is counted, not kept", () => {
  const flood = records(...Array.from({ length: 150 }, (_, index) => `a${index}`));
  const more = records(...Array.from({ length: 150 }, (_, index) => `b${index}`));
  const held = addLines(addLines(noLines, flood, true), more, true);
  expect([held.waiting.length, held.waitingCount]).toEqual([maxLines, 300]);
  expect(release(held).shown).toHaveLength(maxLines);
});

test("older lines come behind", () => {
  const lines = addOlder(addLines(noLines, records(3, 4), false), records(3, 2, 1));
  expect(ids(lines.shown)).toBe("4 3 2 1");
});
