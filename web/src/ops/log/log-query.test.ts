import { expect, test } from "vitest";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import { anyLog, filterOf, logQueryIn } from "./log-query.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const rest = { service: "", minSeverity: Severity.UNSPECIFIED };

test.each([
  ["ord-01JD", { orderId: "ORD-01JD" }],
  [trace.toUpperCase(), { traceId: trace }],
  [" refused by the bank ", { text: "refused by the bank" }],
  ["ORD- and more", { text: "ORD- and more" }],
  ["", { text: "" }],
])("%j is told apart", (words, expected) => {
  expect(filterOf({ ...anyLog, words })).toEqual({ ...expected, ...rest });
});

test("the address says what is asked for", () => {
  expect(logQueryIn("?log=ORD-1").words).toBe("ORD-1");
  expect(logQueryIn("")).toEqual(anyLog);
});
