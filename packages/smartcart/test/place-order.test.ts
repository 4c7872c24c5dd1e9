/** Placing an order, as a client with `curl` and a WebSocket sees it. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seedBody, startStack, wholeLife } from "./stack.ts";

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack();
});
afterAll(() => shop?.[Symbol.asyncDispose]());

describe("an order by POST /placeOrder", () => {
  it("is placed with the catalogue's price and shipped", async () => {
    const { status, headers, body } = await shop.place(seedBody);
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: "CONFIRMED", userId: "u1", address: "1 Main St" });
    expect(body.orderId).toMatch(/^ORD-[0-9A-Z]{26}$/);
    expect(headers.get("location")).toBe(`/orders/${body.orderId}`);
    const product = (await shop.products()).find((p) => p.productId === "espresso-beans");
    expect(body.total).toEqual(product.price);
    expect(await shop.history(body.orderId, "Shipped")).toEqual(wholeLife);
    expect((await shop.get(`/orders/${body.orderId}`)).body.status).toBe("SHIPPED");
    expect(await readFile(shop.shippingLog, "utf8")).toContain(
      `Shipping started for OrderId: ${body.orderId}`,
    );
    expect((await shop.payment(body.orderId)).status).toBe("PAYMENT_STATUS_CAPTURED");
  });

  it("has a tracking number once it is shipped, and no shipment where it is rejected", async () => {
    const { body } = await shop.place(seedBody);
    await shop.history(body.orderId, "Shipped");
    const shipment = await shop.get(`/orders/${body.orderId}/shipment`);
    expect(shipment).toMatchObject({
      status: 200,
      body: { orderId: body.orderId, status: "SHIPMENT_STATUS_SHIPPED" },
    });
    expect(shipment.body.trackingNumber).toMatch(/^SC/);
    expect(Date.parse(shipment.body.shippedAt)).toBeGreaterThanOrEqual(
      Date.parse(shipment.body.startedAt),
    );
    const rejected = await shop.place({ ...seedBody, paymentToken: "tok_declined" });
    expect(await shop.get(`/orders/${rejected.body.orderId}/shipment`)).toMatchObject({
      status: 404,
      body: { code: "SHIPMENT_NOT_FOUND" },
    });
  });

  it("reaches clients that follow the user, from the first status on", async () => {
    await using client = await shop.follow({ userId: "follower" });
    const { body } = await shop.place({ ...seedBody, userId: "follower" });
    const frames = await client.until("Shipped");
    expect(frames.map((frame) => frame.status)).toEqual(wholeLife);
    expect(frames.map((frame) => frame.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(frames.map((frame) => frame.orderId))).toEqual(new Set([body.orderId]));
    for (const frame of frames) expect(Date.parse(frame.occurredAt)).not.toBeNaN();
  });

  it("is told whole to a client that comes late", async () => {
    const { body } = await shop.place(seedBody);
    await shop.history(body.orderId, "Shipped");
    await using byOrder = await shop.follow({ orderId: body.orderId });
    expect((await byOrder.until("Shipped")).map((frame) => frame.status)).toEqual(wholeLife);
  });

  it("is told without gap or repetition to a client that reconnects half way", async () => {
    const { body } = await shop.place(seedBody);
    const { orderId } = body;
    const first = await shop.follow({ orderId });
    await first.until("Payment Confirmed");
    await first[Symbol.asyncDispose]();
    const seen = [...first.frames];
    await using second = await shop.follow({ orderId, afterSequence: seen.at(-1)?.sequence });
    const rest = seen.some((frame) => frame.status === "Shipped")
      ? []
      : await second.until("Shipped");
    expect([...seen, ...rest].map((frame) => frame.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("of two that race for the last unit goes to one", async () => {
    const scarce = (await shop.products()).find((p) => p.available > 0 && p.available <= 5);
    const all = { productId: scarce.productId, quantity: scarce.available };
    const answers = await Promise.all(
      ["u1", "u2"].map((userId) => shop.place({ ...seedBody, userId, items: [all] })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(await shop.available(scarce.productId)).toBe(0);
    const loser = answers.find(({ status }) => status === 409)?.body;
    expect(loser).toMatchObject({
      code: "OUT_OF_STOCK",
      lines: [{ ...toShort(all), available: 0 }],
    });
    expect(await shop.history(loser.orderId, "Out of Stock")).toEqual([
      "Order Received",
      "Out of Stock",
    ]);
  });

  it("is listed for its user, newest first", async () => {
    const placed = [];
    for (let n = 0; n < 3; n += 1) {
      placed.push((await shop.place({ ...seedBody, userId: "lister" })).body.orderId);
    }
    const first = (await shop.get("/orders?userId=lister&pageSize=2")).body;
    const rest = (await shop.get(`/orders?userId=lister&pageToken=${first.nextPageToken}`)).body;
    const listed = [...first.orders, ...rest.orders].map((order) => order.orderId);
    expect(listed).toEqual(placed.toReversed());
  });
});

describe("each payment token", () => {
  it.each(["tok_visa", "tok_slow"])("%s is charged once", async (paymentToken) => {
    const { status, body } = await shop.place({ ...seedBody, paymentToken });
    expect(status).toBe(201);
    expect((await shop.payment(body.orderId)).status).toBe("PAYMENT_STATUS_CAPTURED");
  });

  it.each([
    ["tok_declined", "card_declined"],
    ["tok_insufficient_funds", "insufficient_funds"],
    ["tok_error", "provider_error"],
  ])("%s is refused, and the stock goes back", async (paymentToken, reason) => {
    const items = [{ productId: "espresso-beans", quantity: 7 }];
    const { status, body, headers } = await shop.place({ ...seedBody, items, paymentToken });
    expect(status).toBe(402);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toMatchObject({ code: "PAYMENT_DECLINED", status: 402, reason });
    expect(await shop.history(body.orderId, "Payment Declined")).toHaveLength(3);
    expect((await shop.get(`/orders/${body.orderId}`)).body.status).toBe("REJECTED");
  });

  it("tok_timeout is not known at first, then confirmed, and charged once", async () => {
    await using hasty = await startStack({ env: { ORDER_ANSWER_TIMEOUT_MS: "1000" } });
    const { status, body } = await hasty.place({ ...seedBody, paymentToken: "tok_timeout" });
    expect(status).toBe(202);
    expect(body.status).toBe("PENDING");
    expect(await hasty.history(body.orderId, "Shipped")).toEqual(wholeLife);
    expect((await hasty.payment(body.orderId)).status).toBe("PAYMENT_STATUS_CAPTURED");
  });
});

describe("cancelling", () => {
  it("is refused once the parcel is on its way", async () => {
    const { body } = await shop.place(seedBody);
    await shop.history(body.orderId, "Shipped");
    const { status, body: problem } = await shop.post(`/orders/${body.orderId}/cancel`);
    expect(status).toBe(409);
    expect(problem.code).toBe("ORDER_ALREADY_SHIPPING");
  });

  it("of an order that does not exist is 404", async () => {
    const { status, body } = await shop.post("/orders/ORD-none/cancel");
    expect([status, body.code]).toEqual([404, "ORDER_NOT_FOUND"]);
  });
});

function toShort({ productId, quantity }: { productId: string; quantity: number }) {
  return { productId, requested: quantity };
}
