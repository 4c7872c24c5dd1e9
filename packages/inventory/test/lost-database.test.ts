import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { problemOf } from "@smartcart/mesh";
import { silentLogger } from "@smartcart/runtime";
import { createTestDatabase, freePorts, startForwarder } from "@smartcart/testkit";
import { parseInventoryConfig, startInventory } from "../src/index.ts";
import { createTestClient, errorOf, eventually, newId } from "./support.ts";

it("answers UNAVAILABLE while the database is away, and serves again when it is back", async () => {
  await using real = await createTestDatabase();
  const direct = new URL(real.url);
  const [port = 0] = await freePorts(1);
  const target = { host: direct.hostname, port: Number(direct.port || 5432) };
  const detour = new URL(real.url);
  detour.host = `127.0.0.1:${port}`;
  let forwarder = await startForwarder({ port, target });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => forwarder[Symbol.asyncDispose]());
  const service = stack.use(
    await startInventory({
      config: parseInventoryConfig({ INVENTORY_PORT: "0" }),
      databaseUrl: detour.href,
      log: silentLogger,
    }),
  );
  const client = stack.use(createTestClient(service.url));
  const request = {
    reservationId: newId(),
    lines: [{ productId: "copper-moka-pot", quantity: 1 }],
  };
  await client.reserve(request);

  await forwarder[Symbol.asyncDispose]();
  const error = await errorOf(client.reserve(request));
  expect(ConnectError.from(error).code).toBe(Code.Unavailable);
  expect(problemOf(error)).toMatchObject({ code: "STOCK_UNAVAILABLE", retryAfterMs: 1000 });
  expect((await fetch(`${service.url}/readyz`)).status).toBe(503);

  forwarder = await startForwarder({ port, target });
  await eventually(async () => {
    const { outcome } = await client.reserve(request);
    expect(outcome.case).toBe("reservation");
  });
});
