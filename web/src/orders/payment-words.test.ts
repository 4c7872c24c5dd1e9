import { expect, test } from "vitest";
import { paymentWords } from "./payment-words.ts";

test.each([
  ["insufficient_funds", "Insufficient funds"],
  ["card_declined", "Card declined"],
  ["provider_error", "Payment error"],
  ["a_code_of_tomorrow", "Card declined"],
  ["constructor", "Card declined"],
  ["", "Card declined"],
  [undefined, "Card declined"],
])("%s reads %j", (code, title) => {
  expect(paymentWords(code).title).toBe(title);
});
