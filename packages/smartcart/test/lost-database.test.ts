/** The database goes away in the middle of the day, and comes back. */
import { expect, it } from "vitest";
import { createDetachableDatabase, waitFor } from "@smartcart/testkit";
import { seedBody, startStack } from "./stack.ts";

it("is answered 503 with a time to try again, and the same key then makes one order", async () => {
  await using database = await createDetachableDatabase();
  await using shop = await startStack({ env: { DATABASE_URL: database.url } });
  const body = { ...seedBody, userId: "patient" };
  const headers = { "idempotency-key": crypto.randomUUID() };
  // Prices are known from here on, so that what fails is the order itself.
  await shop.place(seedBody);

  await database.detach();
  const refused = await shop.place(body, headers);
  expect(refused.status).toBe(503);
  expect(refused.body.code).toBe("ORDERS_UNAVAILABLE");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await shop.get("/orders?userId=patient")).status).toBe(503);

  await database.attach();
  const placed = await waitFor(async () => {
    const answer = await shop.place(body, headers);
    return answer.status === 201 && answer;
  });
  const { orders } = (await shop.get("/orders?userId=patient")).body;
  expect(orders.map((order: { orderId: string }) => order.orderId)).toEqual([placed.body.orderId]);
});
