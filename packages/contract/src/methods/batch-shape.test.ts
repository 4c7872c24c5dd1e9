import { expect, test } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { batchShapeOf } from "./batch-shape.ts";
import { batchTargets, policyOf } from "./policy.ts";

const services = [InventoryService, PaymentService];
const { reserve } = InventoryService.method;

test("every method with a BatchPolicy has a batch method of the right shape", () => {
  const batched = services.flatMap(({ methods }) => methods).filter((m) => policyOf(m).batch);
  expect(batched.length).toBeGreaterThan(0);
  for (const method of batched) {
    const { batch, oneof } = batchShapeOf(method, policyOf(method).batch?.method ?? "");
    expect(batchTargets(method.parent)).toContain(batch.name);
    expect(oneof).toBe("result");
  }
});

test.each([
  ["Missing", "there is no such unary method"],
  ["CheckStock", 'its request needs "repeated ReserveRequest requests"'],
])("%s cannot batch Reserve", (name, reason) => {
  expect(() => batchShapeOf(reserve, name)).toThrow(reason);
});
