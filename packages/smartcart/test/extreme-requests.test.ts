/** Every method of every service takes every request that the contract allows: none is answered with a fault of ours. */
import type { DescField, DescMethod, Message } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { propertyOptions } from "@smartcart/testkit";
import { arbitraryMessage } from "./arbitrary-messages.ts";
import { seedBody, startStack } from "./stack.ts";

let shop: Awaited<ReturnType<typeof startStack>>;
const orderIds: string[] = [];
beforeAll(async () => {
  shop = await startStack();
  for (let i = 0; i < 3; i += 1) {
    orderIds.push((await shop.place(seedBody)).body.orderId);
  }
});
afterAll(() => shop?.[Symbol.asyncDispose]());

/** Values that exist, by the name of the field. */
function knownValues(field: DescField): readonly string[] {
  switch (field.name) {
    case "order_id":
    case "reservation_id":
      return orderIds;
    case "product_id":
    case "product_ids":
      return ["espresso-beans", "french-press", "no-such-product"];
    case "user_id":
      return ["u1"];
    case "queue":
      return ["orders", "shipments", "logs"];
    default:
      return [];
  }
}

const services = [
  ["order", OrderService],
  ["inventory", InventoryService],
  ["payment", PaymentService],
  ["shipping", ShippingService],
  ["log", LogService],
  ["ops", OpsService],
] as const;

const methods = services.flatMap(([part, service]) =>
  service.methods.map((method) => [part, method.name, method] as const),
);

/** Methods whose work is more than a few statements. */
const few: Readonly<Record<string, number>> = { PlaceOrder: 60, Reconcile: 3, CancelOrder: 60 };

const oursToMend: ReadonlySet<Code> = new Set([
  Code.Internal,
  Code.Unknown,
  Code.DataLoss,
  Code.Unimplemented,
  Code.Unavailable,
  Code.DeadlineExceeded,
]);

/** The error of the call; undefined where it was answered. A stream is followed for its first message only. */
async function failureOf(url: string, method: DescMethod, request: Message) {
  const client = createClient(method.parent, transportTo(url)) as unknown as Record<
    string,
    (request: Message, options: object) => unknown
  >;
  const hangUp = new AbortController();
  try {
    const answer = client[method.localName]?.(request, { signal: hangUp.signal });
    if (method.methodKind === "unary") {
      return itemFailureOf((await answer) as BatchAnswer);
    } else {
      const iterator = (answer as AsyncIterable<Message>)[Symbol.asyncIterator]();
      await Promise.race([iterator.next(), new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  } finally {
    hangUp.abort();
  }
}

/** What the answer of a batch method has of it. */
interface BatchAnswer {
  readonly results?: readonly {
    result: { case: "error"; value: { code: number; message: string } } | { case: "response" };
  }[];
}

/** The first item that failed by a fault of ours. */
function itemFailureOf({ results = [] }: BatchAnswer): ConnectError | undefined {
  const errors = results.flatMap(({ result }) => (result.case === "error" ? [result.value] : []));
  const ours = errors.find(({ code }) => oursToMend.has(code));
  return ours && new ConnectError(ours.message, ours.code);
}

const transports = new Map<string, ReturnType<typeof createGrpcTransport>>();

function transportTo(url: string) {
  const known = transports.get(url) ?? createGrpcTransport({ baseUrl: url });
  transports.set(url, known);
  return known;
}

describe("a request that the contract allows", () => {
  it.each(methods)("%s %s", { timeout: 90_000 }, async (part, name, method) => {
    const numRuns = few[name] ?? (method.methodKind === "unary" ? 150 : 40);
    const request = arbitraryMessage(method.input, knownValues);
    const url = shop.urls[part] as string;
    expect(url).toMatch(/^http/);
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 4, maxLength: 4 }), async (requests) => {
        const failures = await Promise.all(requests.map((each) => failureOf(url, method, each)));
        for (const [i, failure] of failures.entries()) {
          const told = () =>
            `${failure}: ${JSON.stringify(toJson(method.input, requests[i] as Message))}`;
          if (failure !== undefined && oursToMend.has(failure.code)) {
            throw new Error(told());
          }
          // What the generator makes is valid; that it is refused as invalid has to be the method's own decision.
          expect(failure?.code === Code.InvalidArgument && /must/.test(told()), told()).toBe(false);
        }
      }),
      propertyOptions({ numRuns: Math.ceil(numRuns / 4), limitMs: 80_000 }),
    );
  });

  it("leaves the shop open", async () => {
    expect((await shop.place(seedBody)).status).toBe(201);
    expect((await shop.get("/orders?userId=u1")).status).toBe(200);
  });
});

describe("after a sequence that no order has", () => {
  it("there is nothing, and no error", async () => {
    const answer = await shop.get(`/orders/${orderIds[0]}/events?afterSequence=4294967295`);
    expect([answer.status, answer.body]).toEqual([200, {}]);
  });
});
