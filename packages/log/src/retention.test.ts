import { expect, test } from "vitest";
import { firstToKeep } from "./retention.ts";

test.each([
  [{ oldest: "0", batches: 0, bytesPerBatch: 0, keysPerBatch: 0 }, 1000, "0"],
  [{ oldest: "1", batches: 10, bytesPerBatch: 380, keysPerBatch: 10 }, 10_000, "1"],
  // Half of them are too much: each takes 300 bytes beside its records, and 32 for each order and trace.
  [{ oldest: "1001", batches: 10, bytesPerBatch: 380, keysPerBatch: 10 }, 5000, "1006"],
  [{ oldest: "1", batches: 3, bytesPerBatch: 380, keysPerBatch: 10 }, 1, "4"],
])("of %j, %d bytes are kept from batch %s on", (stored, bytes, expected) => {
  expect(firstToKeep(stored, bytes)).toBe(expected);
});
