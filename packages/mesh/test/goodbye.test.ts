/** A server that ends tells its idle clients so, and the next call may come in that very moment. */
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { silentLogger } from "@smartcart/runtime";
import { createServiceClient } from "../src/index.ts";

const rounds = 400;

/** Answers every call with an empty message, and closes the connection a moment later. */
async function startShortSpoken() {
  const server = createServer();
  server.on("stream", (stream) => {
    const { session } = stream;
    stream.respond({ ":status": 200, "content-type": "application/proto" });
    stream.end();
    stream.once("close", () => setTimeout(() => session?.close(), 1));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => void server.close(),
  };
}

// An uncaught error fails the run of the tests by itself.
test("a call in the moment of the goodbye goes to a new connection", async () => {
  using server = await startShortSpoken();
  using client = createServiceClient(InventoryService, {
    caller: "order",
    baseUrl: server.url,
    log: silentLogger,
  });
  for (let round = 0; round < rounds; round++) {
    expect(await client.checkStock({ productId: "mug", quantity: 1 })).toMatchObject({});
    // Somewhere between well before the goodbye and well after it.
    const nextAt = performance.now() + 1 + 2 * (round / rounds);
    while (performance.now() < nextAt) await new Promise((resolve) => setImmediate(resolve));
  }
});
