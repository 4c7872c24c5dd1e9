import fc from "fast-check";
import { expect, it } from "vitest";
import { formatAmount, parseAmount } from "./amount.ts";

it("reads what it writes, in currencies with 0, 2 and 3 decimal places", () => {
  const amount = fc.tuple(fc.bigInt(0n, 10n ** 12n - 1n), fc.constantFrom("JPY", "USD", "KWD"));
  fc.assert(
    fc.property(amount, ([minor, currency]) => {
      expect(parseAmount(formatAmount(minor, currency), currency)).toEqual({ minor });
    }),
  );
});

it.each([
  ["14.5", "USD", 1_450n],
  ["0", "USD", 0n],
  ["007.10", "USD", 710n],
  ["1450", "JPY", 1_450n],
])("%s %s is %i", (text, currency, minor) => {
  expect(parseAmount(text, currency)).toEqual({ minor });
});

it.each(["", "-1", "14,50", "1e3", "14.505", ".5", "1.", "1 000", "١"])("refuses %j", (text) => {
  expect(parseAmount(text, "USD")).toHaveProperty("problem");
});
