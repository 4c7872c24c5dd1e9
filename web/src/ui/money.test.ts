import { expect, test } from "vitest";
import { formatMoney } from "./money.ts";

const digits = (text: string) => text.replace(/[^\d]/g, "");

test("minor units are the currency's own", () => {
  expect(digits(formatMoney({ currencyCode: "USD", minorUnits: 1_250n }))).toBe("1250");
  expect(formatMoney({ currencyCode: "USD", minorUnits: "5" })).toMatch(/0[.,]05/);
  expect(formatMoney({ currencyCode: "JPY", minorUnits: 1_250n })).toMatch(/1.?250$/);
});

test("an amount beyond a double keeps each digit", () => {
  const minorUnits = 9_007_199_254_740_993n;
  expect(digits(formatMoney({ currencyCode: "USD", minorUnits }))).toBe("9007199254740993");
});

test("no amount is no text", () => {
  expect(formatMoney(undefined)).toBe("");
  expect(digits(formatMoney({ currencyCode: "USD" }))).toBe("000");
});
