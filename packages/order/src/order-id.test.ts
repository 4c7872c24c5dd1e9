import { expect, test } from "vitest";
import { newOrderId } from "./order-id.ts";

test("ids are told apart, use every letter, and sort by time", () => {
  const now = new Date("2026-01-02T03:04:05Z");
  const ids = Array.from({ length: 10_000 }, () => newOrderId(now));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^ORD-[0-9A-HJKMNP-TV-Z]{26}$/.test(id))).toBe(true);
  expect(new Set(ids.flatMap((id) => [...id.slice(-16)])).size).toBe(32);
  expect(newOrderId(new Date(now.getTime() + 1)) > (ids.toSorted().at(-1) as string)).toBe(true);
});
