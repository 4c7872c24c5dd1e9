import { expect, test } from "vitest";
import { Counter, createMetrics } from "./metrics.ts";

test("metrics carry their service, and a process reports itself once", async () => {
  const order = createMetrics("order");
  const payment = createMetrics("payment");
  new Counter({ name: "charges_total", help: "Charges", registers: [payment] }).inc(2);
  expect(await payment.metrics()).toContain('charges_total{service="payment"} 2');
  expect(await order.metrics()).toContain("process_resident_memory_bytes");
  expect(await payment.metrics()).not.toContain("process_resident_memory_bytes");
});
