import { expect, test } from "vitest";
import { orderPath, parseRoute, productPath } from "./route.ts";

test.each([
  ["/", { page: "shop" }],
  ["/checkout", { page: "checkout" }],
  ["/orders", { page: "orders" }],
  ["/orders/", { page: "orders" }],
  ["/orders/ORD-1", { page: "order", orderId: "ORD-1" }],
  ["/orders/ORD-1/more", { page: "not-found" }],
  ["/orders/%", { page: "not-found" }],
  ["/products/mug", { page: "product", productId: "mug" }],
  ["/products", { page: "not-found" }],
  ["/ops", { page: "ops", section: "overview" }],
  ["/ops/orders/ORD-1", { page: "ops", section: "order", orderId: "ORD-1" }],
  ["/ops/log/more", { page: "not-found" }],
  ["/ops/more", { page: "not-found" }],
  ["/auth/callback", { page: "sign-in-callback" }],
  ["/auth", { page: "not-found" }],
  ["/auth/callback/more", { page: "not-found" }],
  ["/checkout/now", { page: "not-found" }],
  ["/elsewhere", { page: "not-found" }],
])("%s", (path, route) => {
  expect(parseRoute(path)).toEqual(route);
});

test("the path of an order leads to it, whatever its id holds", () => {
  expect(parseRoute(orderPath("ORD/1 ?#"))).toEqual({ page: "order", orderId: "ORD/1 ?#" });
});

test("and that of a product to it", () => {
  expect(parseRoute(productPath("a/b ?#"))).toEqual({ page: "product", productId: "a/b ?#" });
});
