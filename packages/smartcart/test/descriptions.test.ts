/** The descriptions that are made from the contract, as a running shop serves them. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seedBody, startStack } from "./stack.ts";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly example?: unknown;
}

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

  it("with an example for every operation, which succeeds as it is or with the id of an order", async () => {
    const { body: document } = await shop.get("/openapi.json");
    let orderId = "";
    /** Sends the example of an operation and returns the status of the response. */
    async function send(path: string, verb: string, values: Record<string, unknown> = {}) {
      const { parameters = [], requestBody } = document.paths[path][verb];
      const url = new URL(`${shop.urls.order}${path}`);
      for (const { name, in: where, example } of parameters as Parameter[]) {
        const value = encodeURIComponent(String(values[name] ?? example));
        if (where === "path") url.pathname = url.pathname.replace(`%7B${name}%7D`, value);
        else if (where === "query" && example !== undefined) url.searchParams.set(name, value);
      }
      const body = requestBody?.content["application/json"].example;
      const response = await fetch(url, {
        method: verb.toUpperCase(),
        ...(body && {
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      });
      const answer = await response.json();
      if (path === "/placeOrder") orderId = answer.orderId;
      return response.status;
    }
    expect(await send("/placeOrder", "post")).toBe(201);
    expect(await send("/orders", "get")).toBe(200);
    await shop.history(orderId, "Shipped");
    for (const path of Object.keys(document.paths).filter((path) => path.includes("{orderId}"))) {
      for (const verb of Object.keys(document.paths[path])) {
        expect(await send(path, verb), path).toBe(404);
        // What has been shipped cannot be cancelled.
        expect(await send(path, verb, { orderId }), path).toBe(verb === "post" ? 409 : 200);
      }
    }
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
