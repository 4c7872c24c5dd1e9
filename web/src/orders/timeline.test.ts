import { describe, expect, test } from "vitest";
import { stepsAhead, toneOf } from "./milestones.ts";
import type { TimelineEntry } from "./timeline.ts";
import { addEntries, emptyTimeline, hasGap, lastSequence } from "./timeline.ts";

const entry = (sequence: number, status = `s${sequence}`): TimelineEntry => ({
  sequence,
  status,
  occurredAt: "",
  service: "",
  traceId: "",
});
const sequences = (entries: readonly TimelineEntry[]) => entries.map(({ sequence }) => sequence);

describe("a timeline", () => {
  test("comes out the same in whatever order and however often entries arrive", () => {
    for (const order of [
      [1, 2, 3, 4],
      [4, 3, 2, 1],
      [2, 4, 1, 1, 3, 2],
      [1, 3, 3, 1, 4, 4, 2],
    ]) {
      const timeline = order.reduce(
        (timeline, sequence) => addEntries(timeline, [entry(sequence)]),
        emptyTimeline,
      );
      expect(sequences(timeline.entries)).toEqual([1, 2, 3, 4]);
      expect(hasGap(timeline)).toBe(false);
    }
  });

  test("keeps what lies beyond a hole until the hole is filled", () => {
    const holed = addEntries(emptyTimeline, [entry(1), entry(4), entry(3)]);
    expect(sequences(holed.entries)).toEqual([1]);
    expect(lastSequence(holed)).toBe(1);
    expect(hasGap(holed)).toBe(true);
    expect(sequences(addEntries(holed, [entry(2)]).entries)).toEqual([1, 2, 3, 4]);
  });

  test("is the same object where nothing is new", () => {
    const timeline = addEntries(emptyTimeline, [entry(1), entry(3)]);
    expect(addEntries(timeline, [entry(1), entry(3)])).toBe(timeline);
    expect(addEntries(timeline, [])).toBe(timeline);
  });
});

describe("the steps ahead", () => {
  test("are those of the contract that were not made yet", () => {
    const timeline = addEntries(emptyTimeline, [
      entry(1, "Order Received"),
      entry(2, "Stock Reserved"),
      entry(3, "Payment Confirmed"),
    ]);
    expect(stepsAhead(timeline)).toEqual(["Order Confirmed", "Shipping Started", "Shipped"]);
  });

  test("are none once the order left the way through", () => {
    const timeline = addEntries(emptyTimeline, [
      entry(1, "Order Received"),
      entry(2, "Out of Stock"),
    ]);
    expect(stepsAhead(timeline)).toEqual([]);
    expect(toneOf("Out of Stock")).toBe("bad");
    expect(toneOf("Refunded")).toBe("neutral");
    expect(toneOf("Shipped")).toBe("good");
  });
});
