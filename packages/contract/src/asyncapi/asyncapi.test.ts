import { readFile } from "node:fs/promises";
import { Ajv } from "ajv";
import { expect, it } from "vitest";
import { createAsyncApi } from "./asyncapi.ts";

it("is a valid AsyncAPI 3.0 document", async () => {
  const file = new URL(import.meta.resolve("@asyncapi/specs/schemas/3.0.0.json"));
  // The file brings its own copy of the meta schema along.
  const ajv = new Ajv({
    strict: false,
    meta: false,
    validateSchema: false,
    validateFormats: false,
  });
  const validate = ajv.compile(JSON.parse(await readFile(file, "utf8")));
  validate(createAsyncApi({ statusPort: 8083 }));
  expect(validate.errors ?? []).toEqual([]);
});

it("tells the queues, routing keys and frames of the contract, and dangles no reference", () => {
  const document = createAsyncApi({ statusPort: 9083 }) as {
    channels: Record<string, { address: string }>;
    servers: Record<string, { host: string }>;
  };
  expect(document.servers.hub?.host).toBe("localhost:9083");
  const addresses = Object.values(document.channels).map((channel) => channel.address);
  const expected = [
    "order.placed",
    "order.status.{milestone}",
    "orders",
    "shipments",
    "logs",
    "/ws",
  ];
  expect(addresses).toEqual(expect.arrayContaining(expected));

  for (const [, pointer = ""] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = pointer
      .split("/")
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)?.[key], document);
    expect(target, pointer).toBeDefined();
  }
});

it("tells the rules of an event, and lets it grow", () => {
  const { components } = createAsyncApi({ statusPort: 8083 }) as {
    components: { schemas: Record<string, { properties: object }> };
  };
  const schema = components.schemas["smartcart.events.v1.OrderShippingStarted"];
  expect(schema).toMatchObject({
    properties: { orderId: { minLength: 1, maxLength: 64 } },
    required: ["orderId", "startedAt"],
  });
  expect(JSON.stringify(components.schemas)).not.toContain("additionalProperties");
});
