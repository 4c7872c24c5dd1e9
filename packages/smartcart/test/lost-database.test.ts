/** The database goes away in the middle of the day, and comes back. */
import { expect, it } from "vitest";
import { createTestDatabase, freePorts, startForwarder, waitFor } from "@smartcart/testkit";
import { seedBody, startStack } from "./stack.ts";

it("is answered 503 with a time to try again, and the same key then makes one order", async () => {
  await using real = await createTestDatabase();
  const direct = new URL(real.url);
  const target = { host: direct.hostname, port: Number(direct.port || 5432) };
  const [port = 0] = await freePorts(1);
  const detour = new URL(real.url);
  detour.host = `127.0.0.1:${port}`;
  await using open = new AsyncDisposableStack();
  let forwarder = await startForwarder({ port, target });
  open.defer(() => forwarder[Symbol.asyncDispose]());
  await using shop = await startStack({ env: { DATABASE_URL: detour.href } });
  const body = { ...seedBody, userId: "patient" };
  const headers = { "idempotency-key": crypto.randomUUID() };
  // Prices are known from here on, so that what fails is the order itself.
  await shop.place(seedBody);

  await forwarder[Symbol.asyncDispose]();
  const refused = await shop.place(body, headers);
  expect(refused.status).toBe(503);
  expect(refused.body.code).toBe("ORDERS_UNAVAILABLE");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await shop.get("/orders?userId=patient")).status).toBe(503);

  forwarder = await startForwarder({ port, target });
  const placed = await waitFor(async () => {
    const answer = await shop.place(body, headers);
    return answer.status === 201 && answer;
  });
  const { orders } = (await shop.get("/orders?userId=patient")).body;
  expect(orders.map((order: { orderId: string }) => order.orderId)).toEqual([placed.body.orderId]);
});
