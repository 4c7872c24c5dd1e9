/**
 * Everything that the contract lets through, on real services: no answer is an internal error, and what was stored can be read. The numbers of
 * the contract are wider than some columns, and so are its times.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOf } from "@smartcart/contract";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { createServiceClient } from "@smartcart/mesh";
import { createSemaphore, silentLogger } from "@smartcart/runtime";
import { propertyOptions } from "@smartcart/testkit";
import { extremeMessages } from "./extreme-messages.ts";
import { seedBody, startStack } from "./stack.ts";

const services = {
  order: OrderService,
  inventory: InventoryService,
  payment: PaymentService,
  shipping: ShippingService,
  log: LogService,
  ops: OpsService,
} satisfies Record<string, DescService>;

/** Codes that a valid request may get; any other code is an internal error. */
const blameless: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.FailedPrecondition,
  Code.OutOfRange,
  Code.Aborted,
]);

let shop: Awaited<ReturnType<typeof startStack>>;
const known = ["espresso-beans", "copper-moka-pot", "ceramic-mug"];
beforeAll(async () => {
  shop = await startStack();
  known.push((await shop.place({ ...seedBody, userId: "u1" })).body.orderId, "u1");
});
afterAll(() => shop[Symbol.asyncDispose]());

/** As many requests at once as fit one case; they share statements, and must not share each other's fate. */
const atOnce = 25;

describe.each(Object.entries(services))("%s", (name, service: DescService) => {
  const unary = service.methods.filter(
    // It looks at everything that is stored, and its request is empty.
    (method) => method.methodKind === "unary" && method.name !== "Reconcile",
  );
  it.each(unary)("$name answers any valid request", { timeout: 120_000 }, async (method) => {
    await tryAll(name, method, 25, async (request, call) => {
      const response = (await call(request)) as { results?: ItemResult[] };
      // The items of a batch fail each for itself.
      for (const { result } of response.results ?? []) {
        if (result.case === "error")
          throw new ConnectError(result.value.message, result.value.code);
      }
    });
  });

  const streams = service.methods.filter((method) => method.methodKind === "server_streaming");
  it.each(streams)("$name begins for any valid request", { timeout: 120_000 }, async (method) => {
    await tryAll(name, method, 4, async (request, call) => {
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), 50);
      try {
        for await (const _ of call(request, { signal: stop.signal }) as AsyncIterable<unknown>)
          break;
      } catch (error) {
        // The place of a stream that was cut off becomes free a little later than its client knows.
        const isFull = ConnectError.from(error).code === Code.ResourceExhausted;
        if (!stop.signal.aborted && !isFull) throw error;
      } finally {
        clearTimeout(timer);
      }
    });
  });
});

interface ItemResult {
  readonly result: { case: "response" } | { case: "error"; value: { code: Code; message: string } };
}

type Call = (request: object, options?: { signal: AbortSignal }) => unknown;

async function tryAll(
  name: string,
  method: DescMethod,
  numRuns: number,
  send: (request: object, call: Call) => Promise<void>,
): Promise<void> {
  using client = createServiceClient(method.parent, {
    caller: "order",
    baseUrl: shop.urls[name] as string,
    log: silentLogger,
  });
  const call = (client as unknown as Record<string, Call>)[method.localName] as Call;
  const requests = fc.array(extremeMessages(method.input, known), {
    minLength: atOnce,
    maxLength: atOnce,
  });
  await fc.assert(
    fc.asyncProperty(requests, async (batch) => {
      // One more at once than the contract lets in is refused, and rightly.
      const { maxConcurrency } = policyOf(method);
      const inTurn = createSemaphore({ maxConcurrent: maxConcurrency || atOnce });
      const faults: { message: string; request: object }[] = [];
      await Promise.all(
        batch.map((request) =>
          inTurn.run(async () => {
            try {
              await send(request, call);
            } catch (error) {
              const { code, message } = ConnectError.from(error);
              if (!blameless.has(code)) faults.push({ message, request });
            }
          }),
        ),
      );
      expect(faults).toEqual([]);
    }),
    propertyOptions({ numRuns, limitMs: 110_000 }),
  );
}

describe("on REST", () => {
  it("a history is asked for from any sequence", async () => {
    const path = `/orders/${known.find((text) => text.startsWith("ORD-"))}/events`;
    for (const sequence of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      const { status, body } = await shop.get(`${path}?afterSequence=${sequence}`);
      expect([sequence, status]).toEqual([sequence, 200]);
      if (sequence > 1_000) expect(body.events ?? []).toEqual([]);
    }
  });
});
