import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { putIn } from "../basket/basket.ts";
import type { Shop } from "../shop.ts";

/** Puts the items of an order into the basket, on top of what is there, and goes to the checkout. */
export function orderAgain(shop: Shop, { items = [] }: OrderJson): void {
  const lines = items.map(({ productId = "", quantity = 0 }) => ({ productId, quantity }));
  shop.basket.set(putIn(shop.basket.get(), lines));
  shop.navigate("/checkout");
}
