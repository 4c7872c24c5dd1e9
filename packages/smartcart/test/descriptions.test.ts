/** The descriptions that are made from the contract, as a running shop serves them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStack } from "./stack.ts";

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack();
});
afterAll(() => shop?.[Symbol.asyncDispose]());

describe("a running shop describes itself", () => {
  it("as OpenAPI 3.1, with every REST path of the contract", async () => {
    const { status, body } = await shop.get("/openapi.json");
    expect([status, body.openapi]).toEqual([200, "3.1.0"]);
    expect(Object.keys(body.paths).sort()).toEqual([
      "/orders",
      "/orders/{orderId}",
      "/orders/{orderId}/cancel",
      "/orders/{orderId}/events",
      "/placeOrder",
    ]);
  });

  it("as AsyncAPI 3.0, with its queues and the WebSocket", async () => {
    const { status, body } = await shop.get("/asyncapi.json");
    expect([status, body.asyncapi]).toEqual([200, "3.0.0"]);
    expect(Object.keys(body.channels)).toEqual(
      expect.arrayContaining(["OrderPlaced", "OrderShipped", "queue-orders", "queue-logs", "ws"]),
    );
  });

  it("as a page for people that loads nothing from elsewhere", async () => {
    const { status, text } = await shop.get("/docs/");
    expect(status).toBe(200);
    expect(text).toMatch(/swagger-ui/);
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });
});
