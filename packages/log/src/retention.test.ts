import { expect, test } from "vitest";
import { firstToKeep } from "./retention.ts";

test.each([
  [{ oldest: "0", records: 0, bytesPerRecord: 0 }, 1000, "0"],
  [{ oldest: "1", records: 10, bytesPerRecord: 750 }, 10_000, "1"],
  // Half of them are too much: 250 bytes of each are in the indexes.
  [{ oldest: "1001", records: 10, bytesPerRecord: 750 }, 5000, "1006"],
  [{ oldest: "1", records: 3, bytesPerRecord: 750 }, 1, "4"],
])("of %j, %d bytes are kept from position %s on", (stored, bytes, expected) => {
  expect(firstToKeep(stored, bytes)).toBe(expected);
});
