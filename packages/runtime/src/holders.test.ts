import { expect, test } from "vitest";
import { createHolders } from "./holders.ts";

test("counts what each key holds", () => {
  const open = createHolders();
  const [first, second] = [open.add("a"), open.add("a")];
  open.add("b");
  expect([open.of("a"), open.of("b"), open.of("c")]).toEqual([2, 1, 0]);
  first();
  expect(open.of("a")).toBe(1);
  second();
  expect(open.of("a")).toBe(0);
});
