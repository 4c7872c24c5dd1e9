import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { fromJson } from "@bufbuild/protobuf";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { exampleOf } from "../documents/examples.ts";
import { eventTypes } from "../events/event-types.ts";
import { validateMessage } from "../validation/validate.ts";
import { createOpenApi } from "./openapi.ts";

interface Operation {
  readonly summary: string;
  readonly description: string;
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
  problems: { PlaceOrder: { 402: ["DECLINED"], 409: ["SHORT"], 422: ["REUSED"] } },
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
      "get /orders/{orderId}/shipment",
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
      ...["201", "202", "400", "401", "402", "403", "409", "413", "415"],
      ...["421", "422", "429", "500", "503", "504"],
    ]);
    const { responses = {} } = operation("/orders/{orderId}", "get") ?? {};
    expect(Object.keys(responses)).not.toContain("413");
    expect(responses["404"]).toEqual({ $ref: "#/components/responses/Problem404" });
    expect(operation("/placeOrder", "post")?.parameters).toMatchObject([
      { name: "Idempotency-Key", in: "header", schema: { minLength: 1, maxLength: 255 } },
    ]);
  });

  test("has the comments of the contract, with fields by their JSON names", () => {
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
    for (const { summary, description } of operations) {
      expect(description, summary).toMatch(/^[A-Z].*\.$/s);
    }
    const { properties } = document.components.schemas["smartcart.order.v1.Order"] as {
      properties: Record<string, { description: string }>;
    };
    expect(properties.lastSequence?.description).toContain("Pass it as `afterSequence`");
    expect(properties.status?.description).toContain("- `SHIPPED`: The parcel has left");
    for (const [name, { description }] of Object.entries(properties)) {
      expect(description, name).not.toBe("");
    }
  });

  test("asks for a body only where something in it is needed", () => {
    expect(operation("/placeOrder", "post")?.requestBody?.required).toBe(true);
    expect(operation("/orders/{orderId}/cancel", "post")?.requestBody?.required).toBe(false);
    expect(operation("/orders", "get")?.requestBody).toBeUndefined();
  });
});

describe("examples", () => {
  const valid = (message: DescMessage) =>
    validateMessage(message, fromJson(message, exampleOf(message) as JsonValue));

  test("of requests and of events are valid by the rules of the contract", () => {
    const events = [...eventTypes.values()].map(({ desc }) => desc);
    for (const message of [...OrderService.methods.map(({ input }) => input), ...events]) {
      expect(valid(message), message.name).toEqual([]);
    }
  });

  test("of responses are valid by their schemas", () => {
    for (const item of Object.values(document.paths).flatMap((path) => Object.values(path))) {
      for (const [status, response] of Object.entries(item.responses)) {
        const { content } = response as { content?: Record<string, Content> };
        const { schema, example } = content?.["application/json"] ?? {};
        if (schema === undefined) continue;
        const validate = schemaOf(schema.$ref.split("/").at(-1) ?? "");
        expect(validate(example), `${item.summary} ${status}: ${ajvErrors(validate)}`).toBe(true);
      }
    }
  });
});

interface Content {
  readonly schema: { readonly $ref: string };
  readonly example: object;
}

const ajvErrors = ({ errors }: { errors?: object | null }) => JSON.stringify(errors);

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
  ])("accept %s if the server does", (_, body, valid) => {
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
