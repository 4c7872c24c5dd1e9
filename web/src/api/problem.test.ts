import { expect, test } from "vitest";
import { parseProblem } from "./problem.ts";

test("reads what the page acts on", () => {
  const body = {
    type: "urn:smartcart:problem:out-of-stock",
    title: "Not enough in stock",
    status: 409,
    detail: "Order what is left.",
    code: "OUT_OF_STOCK",
    orderId: "ORD-1",
    lines: [{ productId: "mug", requested: 2, available: 1 }],
  };
  expect(parseProblem(409, body, "3")).toEqual({
    status: 409,
    code: "OUT_OF_STOCK",
    title: "Not enough in stock",
    detail: "Order what is left.",
    violations: [],
    orderId: "ORD-1",
    lines: [{ productId: "mug", requested: 2, available: 1 }],
    items: [],
    retryAfterMs: 3_000,
  });
});

test.each([undefined, null, "oops", 7, [], { violations: "none", lines: [null], code: 3 }])(
  "makes the best of %j",
  (body) => {
    expect(parseProblem(502, body, "soon")).toEqual({
      status: 502,
      code: "",
      title: "The shop answered with an error (502).",
      detail: "",
      violations: [],
      lines: [],
      items: [],
    });
  },
);
