import { expect, test } from "vitest";
import { parseViolation } from "./invariant-row.ts";

test("a row leads to its order and says the rest", () => {
  expect(parseViolation('{"order_id":"ORD-1","charged_minor":1250,"state":"REJECTED"}')).toEqual({
    orderId: "ORD-1",
    facts: ["charged minor: 1250", "state: REJECTED"],
  });
});

test.each(["no json", "[]x", "42"])("%j is shown as it stands", (json) => {
  expect(parseViolation(json)).toEqual({ orderId: "", facts: [json] });
});
