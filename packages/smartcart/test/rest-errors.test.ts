/** Every error row of the REST table. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Json } from "./stack.ts";
import { seedBody, startStack } from "./stack.ts";

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack();
});
afterAll(() => shop?.[Symbol.asyncDispose]());

const fieldsOf = (body: Json) => body.violations?.map((violation: Json) => violation.field);

describe("a bad body", () => {
  const item = seedBody.items[0];
  it.each([
    ["no user", { ...seedBody, userId: "" }, ["userId"]],
    ["no items", { ...seedBody, items: [] }, ["items"]],
    ["no address", { userId: "u1", items: seedBody.items }, ["address"]],
    [
      "quantity of nothing",
      { ...seedBody, items: [{ ...item, quantity: 0 }] },
      ["items[0].quantity"],
    ],
    ["too many", { ...seedBody, items: [{ ...item, quantity: 1001 }] }, ["items[0].quantity"]],
    [
      "text for a number",
      { ...seedBody, items: [{ ...item, quantity: "two" }] },
      ["items[0].quantity"],
    ],
    ["half a unit", { ...seedBody, items: [{ ...item, quantity: 1.5 }] }, ["items[0].quantity"]],
    ["an unknown field", { ...seedBody, price: 1 }, ["price"]],
    ["an unknown field below", { ...seedBody, items: [{ ...item, price: 1 }] }, ["items[0].price"]],
    [
      "an unknown product",
      { ...seedBody, items: [item, { productId: "unobtainium", quantity: 1 }] },
      ["items[1].productId"],
    ],
  ])("with %s is 400 and names the field", async (_, body, fields) => {
    const answer = await shop.place(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(fieldsOf(answer.body)).toEqual(fields);
    for (const violation of answer.body.violations) expect(violation.message).not.toBe("");
  });

  it("with the same product on two lines is 400", async () => {
    const answer = await shop.place({ ...seedBody, items: [item, item] });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("each product may stand on one line only");
  });

  it("that is no JSON is 400, and one that is no JSON by its type 415", async () => {
    const send = (body: string, type: string) =>
      fetch(`${shop.urls.order}/placeOrder`, {
        method: "POST",
        headers: { "content-type": type },
        body,
      });
    expect((await send('{"userId":', "application/json")).status).toBe(400);
    expect((await send("<order/>", "text/xml")).status).toBe(415);
  });

  it("that is too large is 413", async () => {
    const answer = await shop.place({ ...seedBody, address: "x".repeat(300_000) });
    expect(answer.status).toBe(413);
  });

  it("leaves no order behind", async () => {
    await shop.place({ ...seedBody, userId: "nobody", address: "" });
    expect((await shop.get("/orders?userId=nobody")).body.orders ?? []).toEqual([]);
  });
});

describe("Idempotency-Key", () => {
  const key = () => ({ "idempotency-key": crypto.randomUUID() });

  it("repeats the stored answer byte for byte", async () => {
    const headers = key();
    const first = await shop.place(seedBody, headers);
    await shop.history(first.body.orderId, "Shipped");
    const again = await shop.place(seedBody, headers);
    expect(again.status).toBe(201);
    expect(again.text).toBe(first.text);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(again.headers.get("location")).toBe(first.headers.get("location"));
    expect(first.headers.get("idempotency-replayed")).toBeNull();
  });

  it("repeats a refusal too", async () => {
    const headers = key();
    const body = { ...seedBody, paymentToken: "tok_declined" };
    const first = await shop.place(body, headers);
    const again = await shop.place(body, headers);
    expect([again.status, again.text]).toEqual([402, first.text]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  it("with another body is 422", async () => {
    const headers = key();
    await shop.place(seedBody, headers);
    const other = await shop.place({ ...seedBody, address: "2 Main St" }, headers);
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
  });

  it("whose first request is under way is 409 with Retry-After", async () => {
    const headers = key();
    const body = { ...seedBody, paymentToken: "tok_slow" };
    const first = shop.place(body, headers);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const second = await shop.place(body, headers);
    expect([second.status, second.body.code]).toEqual([409, "IDEMPOTENCY_KEY_IN_USE"]);
    expect(Number(second.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await first).status).toBe(201);
  });
});

describe("too much", () => {
  it("from one client is 429 with Retry-After", async () => {
    await using limited = await startStack({ env: { ORDER_RATE_LIMIT_PER_SECOND: "2" } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => limited.place(seedBody)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers, body } of refused) {
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
      expect(body.code).toMatch(/^[A-Z_]+$/);
    }
  });

  it("at once is 503 with Retry-After", async () => {
    await using busy = await startStack({ env: { ORDER_MAX_IN_FLIGHT: "1" } });
    const body = { ...seedBody, paymentToken: "tok_slow" };
    const answers = await Promise.all(Array.from({ length: 4 }, () => busy.place(body)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, 503, 503, 503]);
    const refused = answers.find(({ status }) => status === 503);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

describe("a path", () => {
  it("that does not exist is 404, and one with another method 405", async () => {
    expect((await shop.get("/nothing")).status).toBe(404);
    const { status, headers } = await shop.get("/placeOrder");
    expect(status).toBe(405);
    expect(headers.get("allow")).toContain("POST");
  });

  it("of an order that does not exist is 404", async () => {
    for (const path of ["/orders/ORD-none", "/orders/ORD-none/events"]) {
      const { status, body } = await shop.get(path);
      expect([status, body.code]).toEqual([404, "ORDER_NOT_FOUND"]);
      expect(body.detail).toContain("ORD-none");
    }
  });
});
