/** A call whose caller is gone before its turn has come is not begun: its implementation asks the database for nothing. */
import { create } from "@bufbuild/protobuf";
import type { UnaryRequest } from "@connectrpc/connect";
import { createClient, createContextValues } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { createAdmission } from "../src/limits/admission.ts";
import { startOrderServer } from "./rig.ts";

const { placeOrder } = OrderService.method;

test("a caller who is gone before the call arrives", async () => {
  let begun = 0;
  await using server = await startOrderServer({
    routes: (router) =>
      router.service(OrderService, {
        getOrder() {
          begun += 1;
          return {};
        },
      }),
  });
  const orders = createClient(OrderService, server.transport);
  const call = orders.getOrder({ orderId: "ORD-1" }, { signal: AbortSignal.abort() });
  await expect(call).rejects.toThrow();
  await orders.getOrder({ orderId: "ORD-1" });
  expect(begun).toBe(1);
});

test("a caller who goes when the call's turn comes", async () => {
  const { interceptor } = createAdmission({
    exempt: new Set(),
    maxInFlight: 1_000,
    stopped: () => false,
  });
  const hangUp = new AbortController();
  const request = (signal: AbortSignal) =>
    ({
      stream: false,
      method: placeOrder,
      service: OrderService,
      header: new Headers(),
      contextValues: createContextValues(),
      message: create(placeOrder.input),
      signal,
    }) as unknown as UnaryRequest;
  const first = Promise.withResolvers<never>();
  const atOnce = 256;
  const quiet = new AbortController().signal;
  const calls = Array.from({ length: atOnce }, () =>
    interceptor(() => first.promise)(request(quiet)),
  );
  let begun = false;
  const last = interceptor(async () => {
    begun = true;
    return {} as never;
  })(request(hangUp.signal));
  // The semaphore stops listening when it gives the turn: just then the caller goes.
  const stopListening = hangUp.signal.removeEventListener.bind(hangUp.signal);
  hangUp.signal.removeEventListener = (...args: Parameters<typeof stopListening>) => {
    stopListening(...args);
    hangUp.abort();
  };
  const answer = expect(last).rejects.toThrow("aborted");
  first.resolve({ stream: false } as never);
  await Promise.all(calls);
  await answer;
  expect(begun).toBe(false);
});
