import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { PlaceOrderRequest } from "@smartcart/gen/order/v1/order_service_pb";
import { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";

/** Three units of two products. */
export function anOrderRequest(
  request: MessageInitShape<typeof PlaceOrderRequestSchema> = {},
): PlaceOrderRequest {
  return create(PlaceOrderRequestSchema, {
    userId: "u1",
    address: "1 Main St",
    items: [
      { productId: "tea", quantity: 2 },
      { productId: "pot", quantity: 1 },
    ],
    ...request,
  });
}
