/** The descriptions that are made from the contract, as a running shop serves them. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seedBody, startStack } from "./stack.ts";

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
      "/orders/{orderId}/shipment",
      "/placeOrder",
    ]);
  });

  it("so that its answers are what OpenAPI says", async () => {
    const { body: document } = await shop.get("/openapi.json");
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: "doc", components: document.components });
    const isValid = (message: string, json: object) => {
      ajv.validate({ $ref: `doc#/components/schemas/smartcart.order.v1.${message}` }, json);
      return ajv.errors ?? [];
    };
    const { body: order } = await shop.place(seedBody);
    expect(isValid("Order", order)).toEqual([]);
    expect(isValid("Order", { ...order, userId: undefined })).not.toEqual([]);
    await shop.history(order.orderId, "Shipped");
    for (const [path, message] of [
      [`/orders/${order.orderId}`, "Order"],
      [`/orders/${order.orderId}/events`, "ListOrderEventsResponse"],
      ["/orders?userId=u1", "ListOrdersResponse"],
    ] as const) {
      expect(isValid(message, (await shop.get(path)).body), path).toEqual([]);
    }
    const key = document.paths["/placeOrder"].post.parameters[0];
    expect(key.schema).toMatchObject({ minLength: 1, maxLength: 255 });
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
