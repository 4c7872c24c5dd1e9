/** How many streams there may be, of one method and of one address. */
import type { ConnectRouter, Transport } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { policyOf } from "@smartcart/contract";
import { Health } from "@smartcart/gen/grpc/health/v1/health_pb";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { silentLogger } from "@smartcart/runtime";
import { createServiceClient, problemOf } from "../src/index.ts";
import { startTestServer } from "./rig.ts";

const patience = { timeout: 15_000, interval: 50 };

function quiet(router: ConnectRouter): void {
  router.service(InventoryService, {
    checkStock: () => ({ available: 5 }),
    async *watchStock() {
      yield {};
      await new Promise(() => {});
    },
  });
}

/** Opens streams until one is refused; answers how many there are, the refusal, and how to end them. */
async function openAll(transport: Transport, most: number, method: "watchStock" | "watch") {
  const stop = new AbortController();
  for (let open = 0; open < most; open++) {
    const o = { signal: stop.signal };
    const stream =
      method === "watch"
        ? createClient(Health, transport).watch({}, o)
        : createClient(InventoryService, transport).watchStock({}, o);
    const refusal = await stream[Symbol.asyncIterator]()
      .next()
      .then(() => undefined, ConnectError.from);
    if (refusal !== undefined) return { open, refusal, close: () => stop.abort() };
  }
  return { open: most, refusal: undefined, close: () => stop.abort() };
}

describe.each(["watchStock", "watch"] as const)("%s", (method) => {
  test("one address has so many streams, and places become free again", async () => {
    await using server = await startTestServer({ routes: quiet, drainMs: 200 });
    const transport = createGrpcTransport({ baseUrl: server.url });
    const { open, refusal, close } = await openAll(transport, 1000, method);
    expect([open, refusal?.code]).toEqual([128, Code.ResourceExhausted]);
    expect(problemOf(refusal)).toMatchObject({ code: "TOO_MANY_STREAMS", retryAfterMs: 1000 });
    expect(refusal?.rawMessage).toContain("128 streams");
    // Another address, which a proxy of this machine speaks for.
    const elsewhere = createConnectTransport({
      baseUrl: server.url,
      httpVersion: "1.1",
      interceptors: [
        (next) => (req) => {
          req.header.set("x-forwarded-for", "192.0.2.1");
          return next(req);
        },
      ],
    });
    const other = await openAll(elsewhere, 3, method);
    expect(other.open).toBe(3);
    other.close();
    close();
    await expect
      .poll(async () => {
        const again = await openAll(transport, 128, method);
        again.close();
        return again.open;
      }, patience)
      .toBe(128);
  });
});

test("one method has so many streams, over all clients", async () => {
  await using server = await startTestServer({ routes: quiet, drainMs: 200 });
  const { open, refusal, close } = await openAll(server.transport, 2000, "watchStock");
  expect([open, refusal?.code]).toEqual([
    policyOf(InventoryService.method.watchStock).maxConcurrency,
    Code.ResourceExhausted,
  ]);
  expect(
    await createClient(InventoryService, server.transport).checkStock({
      productId: "mug",
      quantity: 1,
    }),
  ).toMatchObject({ available: 5 });
  close();
});

test("calls of services are not counted by address", async () => {
  const meshSecret = "a-secret-of-the-mesh-for-tests";
  await using server = await startTestServer({
    name: "inventory",
    routes: quiet,
    meshSecret,
    drainMs: 200,
  });
  using client = createServiceClient(InventoryService, {
    caller: "order",
    baseUrl: server.url,
    log: silentLogger,
    meshSecret,
  });
  const stop = new AbortController();
  const streams = Array.from({ length: 200 }, () =>
    client.watchStock({}, { signal: stop.signal })[Symbol.asyncIterator]().next(),
  );
  expect(await Promise.all(streams)).toHaveLength(200);
  stop.abort();
});

test("streams that are given up while they are opened take no places", async () => {
  await using server = await startTestServer({ routes: quiet, drainMs: 200 });
  const transport = createGrpcTransport({ baseUrl: server.url });
  const client = createClient(InventoryService, transport);
  for (let round = 0; round < 20; round++) {
    const streams = Array.from({ length: 100 }, async (_, i) => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), i % 10);
      for await (const _event of client.watchStock({}, { signal: stop.signal }));
    });
    await Promise.allSettled(streams);
  }
  await expect
    .poll(async () => {
      const again = await openAll(transport, 128, "watchStock");
      again.close();
      return again.open;
    }, patience)
    .toBe(128);
});
