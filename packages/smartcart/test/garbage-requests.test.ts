/** Made-up bytes and JSON against a real shop: each is answered with a 4xx and a reason, and other clients notice nothing. */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { propertyOptions } from "@smartcart/testkit";
import { extremeMessages } from "./extreme-messages.ts";
import { seedBody, startStack } from "./stack.ts";

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack();
});
afterAll(() => shop?.[Symbol.asyncDispose]());

// A request that happens to be valid and has effects would change what the other ones meet.
const methods = [
  ["order", OrderService.method.getOrder],
  ["order", OrderService.method.listOrders],
  ["order", OrderService.method.listOrderEvents],
  ["order", OrderService.method.placeOrder],
  ["inventory", InventoryService.method.checkAvailability],
  ["inventory", InventoryService.method.batchReserve],
  ["inventory", InventoryService.method.getProduct],
  ["payment", PaymentService.method.batchProcessPayments],
  ["log", LogService.method.searchLogs],
] as const;
type Method = (typeof methods)[number];

interface Attempt {
  readonly path: string;
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Sends it and answers what is wrong with the answer; undefined where nothing is. */
async function send(service: string, { path, type, body }: Attempt): Promise<string | undefined> {
  const response = await fetch(`${shop.urls[service]}${path}`, {
    method: "POST",
    headers: { "content-type": type },
    body,
  });
  const text = await response.text();
  const isRefusal = response.status >= 400 && response.status < 500;
  const wrong =
    response.status >= 500 ||
    (isRefusal && (!/code|violations/.test(text) || text.length > 20_000));
  return wrong ? `${response.status} ${text.slice(0, 500)}` : undefined;
}

/** Eight at a time, since what is looked for is not a matter of order. */
async function assertAnswered(
  arbitrary: fc.Arbitrary<readonly [string, Attempt]>,
  numRuns: number,
) {
  await fc.assert(
    fc.asyncProperty(fc.array(arbitrary, { minLength: 8, maxLength: 8 }), async (attempts) => {
      const wrong = await Promise.all(attempts.map(([service, attempt]) => send(service, attempt)));
      expect(wrong.filter((each) => each !== undefined)).toEqual([]);
    }),
    propertyOptions({ numRuns: Math.ceil(numRuns / 8), limitMs: 80_000 }),
  );
}

const rpcPath = ([, method]: Method) => `/${method.parent.typeName}/${method.name}`;
const encode = (text: string) => new Uint8Array(Buffer.from(text));

const messages = (schema: DescMessage) =>
  extremeMessages(schema, []).map((init) => create(schema, init));

/** Some of them hold what only protobuf can, such as times past the year 9999: then JSON without a field. */
function jsonOf(schema: DescMessage, message: Message): string {
  try {
    return toJsonString(schema, message);
  } catch {
    return "{}";
  }
}

/** Bytes of a valid message, of which some were changed, cut out or put in. */
function mutated(schema: DescMessage): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.nat(255)), { maxLength: 4 });
  return fc.tuple(messages(schema), changes).map(([message, list]) => {
    const bytes = [...toBinary(schema, message)];
    for (const [position, kind, byte] of list) {
      const at = position % (bytes.length + 1);
      bytes.splice(at, [1, 0, 2, 1][kind] ?? 1, ...(kind < 2 ? [byte] : []));
    }
    return new Uint8Array(bytes);
  });
}

/** A field by number, of any wire type. */
const wireField = fc
  .tuple(fc.nat(8), fc.nat(7), fc.uint8Array({ maxLength: 12 }))
  .map(([number, type, data]) => [
    (number << 3) | type,
    ...(type === 2 ? [data.length] : []),
    ...data,
  ]);

const protobuf = (method: Method) =>
  fc
    .oneof(
      mutated(method[1].input),
      fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes)),
      fc.array(wireField, { maxLength: 6 }).map((fields) => new Uint8Array(fields.flat())),
    )
    .map(
      (body) => [method[0], { path: rpcPath(method), type: "application/proto", body }] as const,
    );

/** Valid JSON of a message with pieces of other JSON in it. */
function brokenJson(schema: DescMessage): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "null",
      "1e400",
      "-0",
      "0x10",
      '"0x10"',
      "\\u0000",
      '{"a":1,"a":2}',
      '"__proto__":{},',
      "9007199254740993",
      "[[[[[[]]]]]]",
      "\u{1F600}",
      "\ud800",
    ),
    fc.json({ maxDepth: 3 }),
  );
  return fc
    .tuple(messages(schema), fc.array(fc.tuple(fc.nat(), piece), { maxLength: 3 }))
    .map(([message, pieces]) =>
      pieces.reduce(
        (text, [position, insert]) => {
          const at = position % (text.length + 1);
          return text.slice(0, at) + insert + text.slice(at + (position % 3));
        },
        jsonOf(schema, message),
      ),
    );
}

/** An object with the fields' names and any values. */
function wildJson(schema: DescMessage): fc.Arbitrary<string> {
  const names = schema.fields.flatMap(({ name, jsonName }) => [name, jsonName]);
  const key = fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 4 }));
  return fc
    .array(fc.tuple(key, fc.json({ maxDepth: 2 })), { maxLength: 5 })
    .map((members) => `{${members.map(([k, v]) => `${JSON.stringify(k)}:${v}`).join(",")}}`);
}

const json = (method: Method) =>
  fc
    .oneof(brokenJson(method[1].input), wildJson(method[1].input), fc.json(), fc.string())
    .map(
      (text) =>
        [
          method[0],
          { path: rpcPath(method), type: "application/json", body: encode(text) },
        ] as const,
    );

const rest = fc
  .oneof(
    brokenJson(OrderService.method.placeOrder.input),
    wildJson(OrderService.method.placeOrder.input),
    fc.json(),
  )
  .map(
    (text) =>
      ["order", { path: "/placeOrder", type: "application/json", body: encode(text) }] as const,
  );

describe("whatever is sent is answered, and no fault of ours", () => {
  it("protobuf", { timeout: 90_000 }, () =>
    assertAnswered(fc.oneof(...methods.map(protobuf)), 4000),
  );

  it("JSON over Connect", { timeout: 90_000 }, () =>
    assertAnswered(fc.oneof(...methods.map(json)), 4000),
  );

  it("JSON over REST", { timeout: 90_000 }, () => assertAnswered(rest, 3000));

  it("targets of REST", { timeout: 90_000 }, async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "/",
        "//",
        "orders",
        "events",
        "cancel",
        "?",
        "&",
        "=",
        "afterSequence",
        "pageSize",
        "pageToken",
        "userId",
        "%",
        "%00",
        "%ff",
        "%2F",
        "..",
        "#",
        "4294967295",
        "0x1",
        "-1",
      ),
      fc.webSegment({ size: "small" }),
    );
    const target = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join("")}`);
    await fc.assert(
      fc.asyncProperty(fc.array(target, { minLength: 8, maxLength: 8 }), async (targets) => {
        const statuses = await Promise.all(
          targets.map(async (each) => {
            const response = await fetch(new URL(`${shop.urls.order}${each}`));
            await response.arrayBuffer();
            return response.status;
          }),
        );
        expect(statuses.filter((status) => status >= 500)).toEqual([]);
      }),
      propertyOptions({ numRuns: 125, limitMs: 80_000 }),
    );
  });

  it("and the shop is open", async () => {
    expect((await shop.place(seedBody)).status).toBe(201);
  });
});
