import { expect, test } from "vitest";
import { checkForm, hasFieldErrors, noFieldErrors, placeViolations } from "./field-errors.ts";

test("each violation stands at its field", () => {
  const errors = placeViolations([
    { field: "address", message: "must be at most 500 characters" },
    { field: "address", message: "a second thing" },
    { field: "items[1].quantity", message: "must be at least 1" },
    { field: "items", message: "each product may stand on one line only" },
    { field: "", message: "odd." },
  ]);
  expect(errors).toEqual({
    address: "Must be at most 500 characters.",
    items: new Map([[1, "Must be at least 1."]]),
    other: ["items: each product may stand on one line only", "Odd."],
  });
});

test("an empty form is told so without asking", () => {
  expect(Object.keys(checkForm({ userId: " ", address: "" }))).toEqual(
    expect.arrayContaining(["userId", "address"]),
  );
  expect(hasFieldErrors(checkForm({ userId: "Ada", address: "1 Main St" }))).toBe(false);
  expect(hasFieldErrors(noFieldErrors)).toBe(false);
});
