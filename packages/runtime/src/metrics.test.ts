import { expect, test } from "vitest";
import { Counter, createMetrics } from "./metrics.ts";

test("metrics carry their service, and a process reports itself once", async () => {
  const order = createMetrics("order");
  const payment = createMetrics("payment");
  new Counter({ name: "charges_total", help: "Charges", registers: [payment] }).inc(2);
  expect(await payment.metrics()).toContain('charges_total{service="payment"} 2');
  const text = await order.metrics();
  expect(text).toContain("process_resident_memory_bytes");
  // The event loop is measured without waking the process for it.
  expect(text).toMatch(/^nodejs_eventloop_utilization_ratio\{service="order"\} \d/m);
  expect(text).not.toContain("nodejs_eventloop_lag_p99_seconds");
  expect(await payment.metrics()).not.toContain("process_resident_memory_bytes");
});
