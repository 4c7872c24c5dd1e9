import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { createOpenApi } from "./openapi.ts";

interface Operation {
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: object }[];
  readonly requestBody?: { required: boolean };
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const document = createOpenApi([OrderService], {
  title: "Orders",
  version: "1",
  headers: [
    {
      name: "idempotency-key",
      description: "Unique",
      schema: { type: "string", minLength: 1, maxLength: 255 },
    },
  ],
}) as Document;

const operation = (path: string, verb: string) => document.paths[path]?.[verb];

/** A validator of one of the document's schemas. */
function schemaOf(name: string) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "doc", components: document.components });
  return ajv.compile({ $ref: `doc#/components/schemas/${name}` });
}

describe("the document", () => {
  test("has every route with its parameters", () => {
    expect(document.openapi).toBe("3.1.0");
    const routes = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((verb) => `${verb} ${path}`),
    );
    expect(routes.sort()).toEqual([
      "get /orders",
      "get /orders/{orderId}",
      "get /orders/{orderId}/events",
      "post /orders/{orderId}/cancel",
      "post /placeOrder",
    ]);
    expect(operation("/orders", "get")?.parameters).toMatchObject([
      { name: "userId", in: "query", required: true },
      { name: "pageSize", in: "query", required: false, schema: { minimum: 0, maximum: 100 } },
      { name: "pageToken", in: "query", required: false },
    ]);
    expect(operation("/orders/{orderId}/events", "get")?.parameters).toMatchObject([
      { name: "orderId", in: "path", required: true },
      { name: "afterSequence", in: "query", schema: { type: "integer" } },
    ]);
  });

  test("tells the statuses of success and the headers of what has effects", () => {
    expect(Object.keys(operation("/placeOrder", "post")?.responses ?? {})).toEqual([
      "201",
      "202",
      "default",
    ]);
    expect(operation("/placeOrder", "post")?.parameters).toMatchObject([
      { name: "Idempotency-Key", in: "header", schema: { minLength: 1, maxLength: 255 } },
    ]);
  });

  test("asks for a body only where something in it is needed", () => {
    expect(operation("/placeOrder", "post")?.requestBody?.required).toBe(true);
    expect(operation("/orders/{orderId}/cancel", "post")?.requestBody?.required).toBe(false);
    expect(operation("/orders", "get")?.requestBody).toBeUndefined();
  });
});

describe("the schemas", () => {
  const good = { userId: "u1", items: [{ productId: "mug", quantity: 2 }], address: "1 Main St" };

  test.each<[string, object, boolean]>([
    ["a good body", good, true],
    ["no user", { ...good, userId: undefined }, false],
    ["an empty user", { ...good, userId: "" }, false],
    ["no items", { ...good, items: [] }, false],
    ["too many of one", { ...good, items: [{ productId: "mug", quantity: 1001 }] }, false],
    ["a quoted number", { ...good, items: [{ productId: "mug", quantity: "2" }] }, false],
    ["an unknown field", { ...good, coupon: "x" }, false],
    ["a long address", { ...good, address: "x".repeat(501) }, false],
  ])("judge %s as the server does", (_, body, valid) => {
    const validate = schemaOf("smartcart.order.v1.PlaceOrderRequest");
    expect(validate(JSON.parse(JSON.stringify(body)))).toBe(valid);
  });

  test("describe answers", () => {
    const validate = schemaOf("smartcart.order.v1.Order");
    const order = {
      orderId: "ORD-1",
      status: "CONFIRMED",
      userId: "u1",
      items: [
        {
          productId: "mug",
          name: "Mug",
          quantity: 1,
          unitPrice: { currencyCode: "USD", minorUnits: "1250" },
        },
      ],
      address: "1 Main St",
      total: { currencyCode: "USD", minorUnits: "1250" },
      placedAt: "2030-01-31T12:00:00Z",
      lastSequence: 4,
    };
    expect(validate(order)).toBe(true);
    expect(validate({ ...order, status: "LOST" })).toBe(false);
    for (const always of Object.keys(order)) {
      expect(validate({ ...order, [always]: undefined }), always).toBe(false);
    }
    expect(validate({ ...order, total: { minorUnits: 12.5 } })).toBe(false);
  });
});
