import { describe, expect, test } from "vitest";
import type { Frame } from "./frame.ts";
import type { FeedCommand, FeedEvent, OrderFeed } from "./order-feed.ts";
import { createOrderFeed, step } from "./order-feed.ts";
import type { TimelineEntry } from "./timeline.ts";

const order = "ORD-1";
const entry = (sequence: number, status = `s${sequence}`): TimelineEntry => ({
  sequence,
  status,
  occurredAt: "",
  service: "",
  traceId: "",
});
const status = (sequence: number, text?: string): FeedEvent => ({
  kind: "frame",
  frame: { kind: "status", orderId: order, entry: entry(sequence, text) },
});
const frame = (frame: Frame): FeedEvent => ({ kind: "frame", frame });
const opened: FeedEvent = { kind: "opened" };
const closed: FeedEvent = { kind: "closed" };
const history = (...sequences: number[]): FeedEvent => ({
  kind: "history",
  entries: sequences.map((sequence) => entry(sequence)),
});

/** Lets events happen one after the other; answers the state and the commands of the last one. */
function after(...events: FeedEvent[]): { feed: OrderFeed; commands: readonly FeedCommand[] } {
  let feed = createOrderFeed(order);
  let commands: readonly FeedCommand[] = [];
  for (const event of events) ({ feed, commands } = step(feed, event));
  return { feed, commands };
}
const shown = (feed: OrderFeed) => feed.timeline.entries.map(({ sequence }) => sequence);

describe("following an order", () => {
  test("a new connection asks for everything", () => {
    const { feed, commands } = after(opened);
    expect(commands).toEqual([{ kind: "subscribe", afterSequence: 0 }]);
    expect(feed.liveness).toEqual({ kind: "live" });
  });

  test("a lost connection is made again, and resumes after the last step that was seen", () => {
    const lost = after(opened, status(1), status(2), closed);
    expect(lost.feed.liveness.kind).toBe("interrupted");
    expect(lost.commands).toEqual([
      { kind: "reconnect", failures: 0 },
      { kind: "read-history", afterSequence: 2 },
    ]);
    const again = after(opened, status(1), status(2), closed, opened);
    expect(again.commands).toEqual([{ kind: "subscribe", afterSequence: 2 }]);
    expect(again.feed.liveness.kind).toBe("live");
  });

  test("pauses grow with each failure, until a connection holds", () => {
    expect(after(closed, closed, closed).commands[0]).toEqual({ kind: "reconnect", failures: 2 });
    expect(after(closed, closed, opened, { kind: "steady" }, closed).commands[0]).toEqual({
      kind: "reconnect",
      failures: 0,
    });
    // A hub that accepts and drops at once is not hammered.
    expect(after(closed, opened, closed).commands[0]).toEqual({ kind: "reconnect", failures: 1 });
  });

  test("steps that come twice are shown once", () => {
    const { feed } = after(
      opened,
      status(1),
      status(2),
      closed,
      history(1, 2, 3),
      opened,
      status(2),
      status(3),
    );
    expect(shown(feed)).toEqual([1, 2, 3]);
  });

  test("a hole is filled from the history, and nothing beyond it is shown before", () => {
    const holed = after(opened, status(1), status(3));
    expect(shown(holed.feed)).toEqual([1]);
    expect(holed.commands).toEqual([{ kind: "read-history", afterSequence: 1 }]);
    expect(shown(after(opened, status(1), status(3), history(2, 3)).feed)).toEqual([1, 2, 3]);
  });

  test("steps of another order are none of ours", () => {
    const other = frame({ kind: "status", orderId: "ORD-2", entry: entry(1) });
    expect(shown(after(opened, other).feed)).toEqual([]);
  });

  const way = ["Order Received", "Stock Reserved"];
  const paid = [...way, "Payment Confirmed"];
  const told = (statuses: readonly string[]) =>
    after(opened, ...statuses.map((text, index) => status(index + 1, text)));

  test.each([
    ["shipped", [...paid, "Order Confirmed", "Shipping Started", "Shipped"]],
    ["rejected for want of stock", ["Order Received", "Out of Stock"]],
    ["rejected by the bank", [...way, "Payment Declined"]],
    ["cancelled", [...paid, "Order Confirmed", "Cancelled", "Refunded"]],
    ["paid in vain", [...paid, "Out of Stock", "Refunded"]],
  ])("it ends with an order that is %s, and not before", (_, statuses) => {
    const { feed, commands } = told(statuses);
    expect(feed.liveness).toEqual({ kind: "complete" });
    expect(commands).toEqual([{ kind: "stop" }]);
    expect(step(feed, closed).commands).toEqual([]);
    expect(told(statuses.slice(0, -1)).feed.liveness).toEqual({ kind: "live" });
  });

  test("steps that an open connection never brought show that it is dead", () => {
    const { feed, commands } = after(opened, status(1), { kind: "missed", entries: [entry(2)] });
    expect(shown(feed)).toEqual([1, 2]);
    expect(commands).toEqual([{ kind: "reconnect", failures: 0 }]);
    expect(feed.liveness.kind).toBe("interrupted");
  });
});

describe("a hub that cannot go on", () => {
  const resync = frame({ kind: "resync", orderId: order, reason: "history is away" });
  const failed: FeedEvent = { kind: "history", entries: undefined };

  test("resync: the history is read by REST, then subscribed again behind it", () => {
    const waiting = after(opened, status(1), resync);
    expect(waiting.commands).toEqual([{ kind: "read-history", afterSequence: 1 }]);
    expect(waiting.feed.liveness).toEqual({ kind: "interrupted", reason: "history is away" });
    const back = after(opened, status(1), resync, history(2, 3));
    expect(back.commands).toEqual([{ kind: "subscribe", afterSequence: 3 }]);
    expect(back.feed.liveness.kind).toBe("live");
  });

  test("resync of everything concerns us, of another order it does not", () => {
    const everything = frame({ kind: "resync", orderId: "", reason: "" });
    const another = frame({ kind: "resync", orderId: "ORD-2", reason: "" });
    expect(after(opened, everything).commands).toHaveLength(1);
    expect(after(opened, another).commands).toEqual([]);
  });

  test("resync while REST is away too: tried again later, on the same connection", () => {
    const { feed, commands } = after(opened, resync, failed);
    expect(commands).toEqual([{ kind: "resubscribe-later", failures: 0 }]);
    expect(feed.liveness.kind).toBe("interrupted");
    expect(step(feed, { kind: "resubscribe" }).commands).toEqual([
      { kind: "subscribe", afterSequence: 0 },
    ]);
  });

  test("an error says why it is not live, and is tried again later", () => {
    const busy = frame({ kind: "error", code: "UNAVAILABLE", message: "come back" });
    const { feed, commands } = after(opened, busy);
    expect(feed.liveness).toEqual({ kind: "interrupted", reason: "come back" });
    expect(commands).toEqual([{ kind: "resubscribe-later", failures: 0 }]);
  });

  test("an order that it does not know is not asked for for ever", () => {
    const unknown = frame({ kind: "error", code: "UNKNOWN_ORDER", message: "no" });
    const { feed, commands } = after(opened, unknown);
    expect(feed.liveness).toEqual({ kind: "unknown-order" });
    expect(commands).toEqual([{ kind: "stop" }]);
    // One whose steps were already seen exists, whatever a hub says that has just begun.
    expect(after(opened, status(1), unknown).feed.liveness.kind).toBe("interrupted");
  });
});
