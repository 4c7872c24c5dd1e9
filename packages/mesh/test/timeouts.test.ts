/** Every form of a deadline that the specifications allow, on calls and on streams. */
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { silentLogger } from "@smartcart/runtime";
import type { RunningServer } from "../src/index.ts";
import { createServiceClient } from "../src/index.ts";
import { startTestServer } from "./rig.ts";

const runs = { numRuns: 300 };
const request = { productId: "mug", quantity: 1 };
/** What the latest call has left, in milliseconds. */
let left: number | undefined;

function routes(router: ConnectRouter): void {
  router.service(InventoryService, {
    checkStock(_, { timeoutMs }) {
      left = timeoutMs();
      return { available: 5 };
    },
    async *watchStock(_, { timeoutMs, signal }) {
      left = timeoutMs();
      // A timer that overflows fires at once.
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (!signal.aborted) yield {};
    },
  });
}

let server: RunningServer;
beforeAll(async () => {
  server = await startTestServer({ routes });
});
afterAll(() => server[Symbol.asyncDispose]());

const transports = {
  "grpc-timeout": (headers: Record<string, string>) =>
    createGrpcTransport({ baseUrl: server.url, interceptors: [setting(headers)] }),
  "connect-timeout-ms": (headers: Record<string, string>) =>
    createConnectTransport({
      baseUrl: server.url,
      httpVersion: "2",
      interceptors: [setting(headers)],
    }),
};

function setting(headers: Record<string, string>): Interceptor {
  return (next) => (req) => {
    for (const [name, value] of Object.entries(headers)) req.header.set(name, value);
    return next(req);
  };
}

async function count(stream: AsyncIterable<unknown>): Promise<number> {
  let messages = 0;
  for await (const _ of stream) messages += 1;
  return messages;
}

/** From two seconds on, so that the call can be made in it. */
const unitMs = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
const grpcTimeout = fc
  .tuple(fc.integer({ min: 1, max: 99_999_999 }), fc.constantFrom(..."HMSmun"))
  .filter(([value, unit]) => value * unitMs[unit as keyof typeof unitMs] >= 2000)
  .map(([value, unit]) => `${value}${unit}`);
const connectTimeout = fc
  .integer({ min: 2000, max: 9_999_999_999 })
  .chain((ms) => fc.constantFrom(`${ms}`, `${ms}`.padStart(10, "0")));

describe.each([
  ["grpc-timeout", grpcTimeout, ["99999999H", "100H", "2000m", "99999999S", "99999999m"]],
  ["connect-timeout-ms", connectTimeout, ["9999999999", "2147483648", "2147483647", "0000002000"]],
] as const)("%s", (name, generated, edges) => {
  const values = fc.oneof(fc.constantFrom(...edges), generated);

  test("in any form makes a call with the contract's bound", async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const client = createClient(InventoryService, transports[name]({ [name]: value }));
        await client.checkStock(request);
        expect(left).toBeGreaterThan(0);
        expect(left).toBeLessThanOrEqual(2000);
      }),
      runs,
    );
  });

  test("in any form makes a stream that is open", async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const client = createClient(InventoryService, transports[name]({ [name]: value }));
        expect(await count(client.watchStock({}))).toBe(1);
        expect(left).toBeGreaterThan(0);
      }),
      runs,
    );
  });
});

test("our own client takes any number of milliseconds", async () => {
  using remote = createServiceClient(InventoryService, {
    caller: "order",
    baseUrl: server.url,
    log: silentLogger,
  });
  using local = createServiceClient(InventoryService, {
    caller: "order",
    transport: server.transport,
    log: silentLogger,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.integer({ min: 2000, max: Number.MAX_SAFE_INTEGER }),
        fc.double({ min: 2000, max: 1e20, noNaN: true }),
      ),
      async (timeoutMs) => {
        for (const client of [remote, local]) {
          expect(await client.checkStock(request, { timeoutMs })).toMatchObject({ available: 5 });
          expect(await count(client.watchStock({}, { timeoutMs }))).toBe(1);
        }
      },
    ),
    { numRuns: 100 },
  );
});
