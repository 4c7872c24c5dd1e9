/** A caller who is gone before the turn of the call has come costs the database nothing. */

import { create } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { RouteDependencies } from "../src/routes.ts";
import { orderRoutes } from "../src/routes.ts";

/** Whatever is asked of it is noted, and never answered. */
function untouched(asked: string[], name = "") {
  return new Proxy(() => {}, {
    get: (_, key) => untouched(asked, `${name}.${String(key)}`),
    apply: () => {
      asked.push(name);
      return new Promise(() => {});
    },
  });
}

const unary = OrderService.methods.filter(({ methodKind }) => methodKind === "unary");

it.each(unary)("$name asks for nothing", async (method) => {
  const asked: string[] = [];
  let routes: Partial<ServiceImpl<typeof OrderService>> = {};
  const router = {
    service: (_: unknown, implementation: typeof routes) => (routes = implementation),
  };
  orderRoutes(untouched(asked) as unknown as RouteDependencies)(router as unknown as ConnectRouter);
  const handler = routes[method.localName as keyof typeof routes] as (
    request: object,
    context: Pick<HandlerContext, "signal" | "requestHeader">,
  ) => Promise<unknown>;
  const signal = AbortSignal.abort();
  const call = handler(create(method.input), { signal, requestHeader: new Headers() });
  await expect(call).rejects.toThrow("aborted");
  expect(asked).toEqual([]);
});
