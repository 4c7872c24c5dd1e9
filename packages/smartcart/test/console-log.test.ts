import fc from "fast-check";
import { expect, test } from "vitest";
import { format } from "../src/up/console-log.ts";

const line = (message: string, attributes: Record<string, unknown> = {}) =>
  format({
    occurredAt: new Date("2026-01-02T03:04:05Z"),
    severity: "warn",
    service: "order",
    event: "order.placed",
    message,
    attributes,
  } as Parameters<typeof format>[0]);

test("a value cannot pose as another line, or give orders to the terminal", () => {
  expect(line("a\nb", { name: "\u001b[2Jc\u202ed" })).toMatch(
    /WARN a\\u000ab name=\\u001b\[2Jc\\u202ed$/,
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (message, value) => {
      expect(line(message, { value, error: new Error(value) })).not.toMatch(
        /[\p{Cc}\p{Zl}\p{Zp}]/u,
      );
    }),
  );
});
