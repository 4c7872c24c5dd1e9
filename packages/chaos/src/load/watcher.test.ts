import { expect, it } from "vitest";
import type { Sighting } from "./watcher.ts";
import { note } from "./watcher.ts";

function see(...frames: Parameters<typeof note>[0][]): Sighting {
  const seen: Sighting = {
    orderId: "ORD-1",
    lastSequence: 0,
    gaps: 0,
    resyncs: 0,
    connections: 1,
    statuses: [],
    done: false,
  };
  for (const frame of frames) note(frame, seen);
  return seen;
}

const status = (sequence: number, name: string) => ({ orderId: "ORD-1", sequence, status: name });

it("takes what comes twice once", () => {
  const seen = see(
    status(1, "Order Received"),
    status(1, "Order Received"),
    status(2, "Stock Reserved"),
  );
  expect(seen).toMatchObject({ lastSequence: 2, gaps: 0, done: false });
});

it("counts what was left out", () => {
  expect(see(status(1, "Order Received"), status(4, "Order Confirmed")).gaps).toBe(2);
});

it("knows an order's last status", () => {
  expect(see(status(1, "Order Received"), status(2, "Out of Stock")).done).toBe(true);
  expect(see(status(1, "Order Received"), status(2, "Stock Reserved")).done).toBe(false);
});
