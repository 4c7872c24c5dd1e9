import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningServer } from "../src/index.ts";
import { startOrderServer } from "./rig.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startOrderServer({ maxBodyBytes: 4096 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const goodBody = { userId: "u1", items: [{ productId: "mug", quantity: 2 }], address: "1 Main St" };

function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** What is answered to a POST with such header lines, as text. */
async function rawPost(lines: string[]): Promise<string> {
  const body = JSON.stringify(goodBody);
  const socket = connect(server.port, "127.0.0.1");
  const head = [
    "POST /placeOrder HTTP/1.1",
    "Host: localhost",
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    ...lines,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  return text(socket);
}

const placeOrder = (changes: object, headers?: Record<string, string>) =>
  post("/placeOrder", { ...goodBody, ...changes }, headers);

describe("success", () => {
  test("placed: 201 with a Location and the order itself", async () => {
    const res = await placeOrder({});
    expect(res.status).toBe(201);
    expect(res.headers.get("location")).toBe("/orders/ORD-1");
    expect(res.headers.get("content-type")).toBe("application/json");
    expect(await res.text()).toBe(
      '{"orderId":"ORD-1","status":"CONFIRMED","userId":"u1","items":[{"productId":"mug","name":"Mug","quantity":2,' +
        '"unitPrice":{"currencyCode":"USD","minorUnits":"1250"}}],"total":{"currencyCode":"USD","minorUnits":"2500"},' +
        '"address":"1 Main St","placedAt":"2023-11-14T22:13:20Z","lastSequence":4}',
    );
  });

  test("outcome not known yet: 202, by the value of a field", async () => {
    const res = await placeOrder({ userId: "pending" });
    expect(res.status).toBe(202);
    expect(await res.json()).toMatchObject({ orderId: "ORD-2", status: "PENDING" });
  });

  test("headers go to the method and come back from it", async () => {
    expect((await placeOrder({})).headers.get("idempotency-replayed")).toBeNull();
    const res = await placeOrder({}, { "Idempotency-Key": "k1" });
    expect(res.headers.get("idempotency-replayed")).toBe("true");
  });

  test("the same header twice: refused", async () => {
    const key = await rawPost(["Idempotency-Key: k1", "idempotency-key: k2"]);
    expect(key).toMatch(/^HTTP\/1.1 400 /);
    expect(key).toContain('"code":"DUPLICATE_HEADER"');
    expect(await rawPost(["Idempotency-Key: k1, k2"])).toMatch(/^HTTP\/1.1 201 /);
  });

  test("path parameters, decoded", async () => {
    const res = await fetch(`${server.url}/orders/ORD%2F7`);
    expect(res.status).toBe(200);
    expect(await res.json()).toMatchObject({ orderId: "ORD/7" });
  });

  test("query parameters, by JSON or proto name", async () => {
    for (const query of ["userId=u2&pageSize=3", "user_id=u2&page_size=3"]) {
      const res = await fetch(`${server.url}/orders?${query}`);
      expect(await res.json()).toMatchObject({ orders: [{ orderId: "ORD-u2-3" }] });
    }
  });

  test("path and query together, without response_body", async () => {
    const res = await fetch(`${server.url}/orders/ORD-1/events?afterSequence=2`);
    expect(await res.json()).toEqual({
      events: [{ orderId: "ORD-1", sequence: 3, status: "Order Received" }],
    });
  });

  test("a body may be left out where nothing in it is needed", async () => {
    const bare = await fetch(`${server.url}/orders/ORD-1/cancel`, { method: "POST" });
    expect(await bare.json()).toMatchObject({ orderId: "ORD-1", status: "CANCELLED" });
    expect((await post("/orders/ORD-1/cancel", {})).status).toBe(200);
  });

  test("HEAD answers as GET, without a body", async () => {
    const res = await fetch(`${server.url}/orders/ORD-1`, { method: "HEAD" });
    expect(res.status).toBe(200);
    expect(await res.text()).toBe("");
  });
});

async function problem(answer: Promise<Response>) {
  const res = await answer;
  expect(res.headers.get("content-type")).toBe("application/problem+json");
  const body = (await res.json()) as Record<string, unknown>;
  expect(body.status).toBe(res.status);
  expect(body).toMatchObject({ type: expect.stringMatching(/^urn:smartcart:problem:[a-z-]+$/) });
  expect(body.detail).not.toBe("");
  return { ...body, retryAfter: res.headers.get("retry-after"), headers: res.headers };
}

describe("bad requests: 400 with a violation a field", () => {
  const violating = (body: unknown) => problem(post("/placeOrder", body));

  test("broken rules, all of them", async () => {
    expect(await violating({ items: [{ productId: "mug", quantity: 0 }] })).toMatchObject({
      status: 400,
      code: "INVALID_ARGUMENT",
      instance: "/placeOrder",
      violations: [{ field: "userId" }, { field: "items[0].quantity" }, { field: "address" }],
    });
  });

  test("two lines of one product", async () => {
    const items = [goodBody.items[0], goodBody.items[0]];
    expect(await violating({ ...goodBody, items })).toMatchObject({
      status: 400,
      violations: [{ field: "items", message: "each product may stand on one line only" }],
    });
  });

  test("an unknown product, as the service says it", async () => {
    expect(await violating({ ...goodBody, userId: "unknown-product" })).toMatchObject({
      status: 400,
      code: "INVALID_ARGUMENT",
      violations: [{ field: "items[0].productId", message: "is not in the catalogue" }],
    });
  });

  test.each<[string, unknown, object]>([
    ["unknown field", { ...goodBody, coupon: "x" }, { field: "coupon" }],
    ["unknown field inside", { ...goodBody, items: [{ price: 1 }] }, { field: "items[0].price" }],
    ["wrong type", { ...goodBody, userId: 7 }, { field: "userId", message: "must be a string" }],
    ["quoted number", { ...goodBody, items: [{ quantity: "2" }] }, { field: "items[0].quantity" }],
    ["fraction", { ...goodBody, items: [{ quantity: 1.5 }] }, { field: "items[0].quantity" }],
    ["a name that objects have", '{"__proto__":1}', { field: "__proto__" }],
    ["a name with a point", { ...goodBody, "a.b": 1 }, { field: '["a.b"]' }],
    ["a name as in the proto", { ...goodBody, gift_note: 1 }, { field: "gift_note" }],
    ["two spellings", { ...goodBody, user_id: "u2" }, { field: "user_id" }],
    ["a member twice", '{"items":[{"quantity":1,"quantity":2}]}', { field: "items[0].quantity" }],
    ["another notation", { ...goodBody, items: [{ quantity: "0x10" }] }, {}],
    ["list instead of an object", [], { field: "" }],
    ["null", "null", { field: "" }],
  ])("%s", async (_, body, violation) => {
    expect(await violating(body)).toMatchObject({
      status: 400,
      code: "INVALID_ARGUMENT",
      violations: [violation],
    });
  });

  test("5,000 items, or very many violations: the answer is short", async () => {
    const items = Array.from({ length: 5000 }, (_, i) => ({ productId: `p${i}`, quantity: 1 }));
    await using server = await startOrderServer();
    const send = async (body: object) => {
      const res = await fetch(`${server.url}/placeOrder`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const text = await res.text();
      expect(res.status).toBe(400);
      expect(text.length).toBeLessThan(4000);
      return JSON.parse(text) as { violations: object[]; detail: string };
    };
    expect(await send({ ...goodBody, items })).toMatchObject({ violations: [{ field: "items" }] });
    const broken = await send({
      ...goodBody,
      items: items.slice(0, 100).map(() => ({ quantity: 0 })),
    });
    expect(broken.violations).toHaveLength(20);
    expect(broken.detail).toContain("(and 200 more; 181 of them are left out here)");
  });

  test("no body at all", async () => {
    expect(await violating("")).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
  });

  test("unknown, repeated and mistyped query parameters", async () => {
    const get = (query: string) => problem(fetch(`${server.url}/orders?${query}`));
    expect(await get("userId=u&colour=red")).toMatchObject({
      status: 400,
      violations: [{ field: "colour", message: "is not a known parameter" }],
    });
    expect(await get("userId=u&userId=v")).toMatchObject({ violations: [{ field: "userId" }] });
    expect(await get("userId=u&pageSize=ten")).toMatchObject({
      violations: [{ field: "pageSize" }],
    });
    expect(await get("pageSize=1000")).toMatchObject({
      violations: [{ field: "userId" }, { field: "pageSize" }],
    });
    expect(await get("userId=u&__proto__.x=1")).toMatchObject({ status: 400 });
    for (const number of ["0x1", "1e1", "+1", "1.0", " 1", "", "99999999999"]) {
      const answer = await get(`userId=u&pageSize=${encodeURIComponent(number)}`);
      expect(answer, number).toMatchObject({ status: 400, violations: [{ field: "pageSize" }] });
    }
  });

  test.each(["{", "[1", '{"userId":"\xff"', "\u0000"])("malformed JSON %j", async (body) => {
    expect(await violating(body)).toMatchObject({ status: 400, code: "MALFORMED_JSON" });
  });

  test("a body that is not UTF-8", async () => {
    const body = Buffer.from('{"userId":"caf\xe9"}', "latin1");
    const headers = { "content-type": "application/json" };
    const answer = fetch(`${server.url}/placeOrder`, { method: "POST", headers, body });
    expect(await problem(answer)).toMatchObject({ status: 400, code: "MALFORMED_JSON" });
  });
});

describe("answers of the domain", () => {
  test("out of stock: 409 with the lines that fell short, 0 included", async () => {
    expect(await problem(placeOrder({ userId: "short" }))).toMatchObject({
      type: "urn:smartcart:problem:out-of-stock",
      status: 409,
      code: "OUT_OF_STOCK",
      title: "Out of stock",
      detail: "mug: 1 left, 2 asked for. Order less.",
      orderId: "ORD-3",
      lines: [{ productId: "mug", requested: 2, available: 0 }],
    });
  });

  test("declined: 402 with the reason", async () => {
    expect(await problem(placeOrder({ userId: "declined" }))).toMatchObject({
      status: 402,
      code: "PAYMENT_DECLINED",
      orderId: "ORD-4",
      reason: "card_declined",
    });
  });

  test("key with another body: 422; key in flight: 409 with Retry-After in whole seconds", async () => {
    expect(await problem(placeOrder({ userId: "reused" }))).toMatchObject({
      status: 422,
      code: "IDEMPOTENCY_KEY_REUSED",
      retryAfter: null,
    });
    expect(await problem(placeOrder({ userId: "in-flight" }))).toMatchObject({
      status: 409,
      code: "IDEMPOTENCY_KEY_IN_USE",
      retryAfter: "2",
    });
  });

  test("an unforeseen error: 500 that leaks nothing", async () => {
    const res = await placeOrder({ userId: "broken" });
    expect(res.status).toBe(500);
    const text = await res.text();
    expect(text).not.toContain("hunter2");
    expect(JSON.parse(text)).toMatchObject({ code: "INTERNAL", detail: "internal error" });
  });
});

describe("the protocol", () => {
  test("another content type: 415", async () => {
    for (const type of [
      "text/plain",
      "application/json; charset=latin1",
      "application/x-www-form-urlencoded",
    ]) {
      const answer = post("/placeOrder", goodBody, { "content-type": type });
      expect(await problem(answer)).toMatchObject({ status: 415, code: "UNSUPPORTED_MEDIA_TYPE" });
    }
    const utf8 = await post("/placeOrder", goodBody, {
      "content-type": "application/json; charset=UTF-8",
    });
    expect(utf8.status).toBe(201);
  });

  test("a content encoding: decoded within the bound, or 415", async () => {
    const json = JSON.stringify(goodBody);
    const send = (encoding: string, body: Uint8Array) =>
      fetch(`${server.url}/placeOrder`, {
        method: "POST",
        headers: { "content-type": "application/json", "content-encoding": encoding },
        body: new Uint8Array(body),
      });
    expect((await send("gzip", gzipSync(json))).status).toBe(201);
    expect((await send("GZIP", gzipSync(json))).status).toBe(201);
    expect((await send("deflate", deflateSync(json))).status).toBe(201);
    expect((await send("br", brotliCompressSync(json))).status).toBe(201);
    expect((await send("identity", Buffer.from(json))).status).toBe(201);
    for (const unknown of ["zstd", "gzip, gzip"]) {
      const { headers, ...rest } = await problem(send(unknown, gzipSync(json)));
      expect(rest).toMatchObject({ status: 415, code: "UNSUPPORTED_CONTENT_ENCODING" });
      expect(headers.get("accept-encoding")).toBe("gzip, deflate, br");
    }
    for (const lie of [Buffer.from(json), gzipSync(json).subarray(0, 30)]) {
      expect(await problem(send("gzip", lie))).toMatchObject({
        status: 400,
        code: "MALFORMED_BODY",
      });
    }
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    for (const [encoding, body] of [
      ["gzip", bomb.subarray(0, 4000)],
      ["br", brotliCompressSync(Buffer.alloc(10_000_000))],
    ] as const) {
      expect(await problem(send(encoding, body))).toMatchObject({ status: 413 });
    }
  });

  test("too large: 413, announced or not", async () => {
    const announced = post("/placeOrder", { ...goodBody, address: "x".repeat(5000) });
    expect(await problem(announced)).toMatchObject({ status: 413, code: "BODY_TOO_LARGE" });
    const chunks = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(1000))),
    });
    const chunked = fetch(`${server.url}/placeOrder`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: chunks.pipeThrough(firstBytes(8000)),
      duplex: "half",
    });
    expect(await problem(chunked)).toMatchObject({ status: 413, code: "BODY_TOO_LARGE" });
  });

  test("an unknown path: 404; another verb: 405 with Allow", async () => {
    expect(await problem(fetch(`${server.url}/nothing`))).toMatchObject({
      status: 404,
      code: "ROUTE_NOT_FOUND",
    });
    const { headers, ...rest } = await problem(fetch(`${server.url}/placeOrder`));
    expect(rest).toMatchObject({ status: 405, code: "METHOD_NOT_ALLOWED" });
    expect(headers.get("allow")).toBe("POST");
  });

  test("overloaded: 503 with Retry-After", async () => {
    await using full = await startOrderServer({ maxInFlight: 0 });
    expect(await problem(fetch(`${full.url}/orders/ORD-1`))).toMatchObject({
      status: 503,
      code: "OVERLOADED",
      retryAfter: "1",
    });
  });
});

/** Lets the first bytes of a stream through and ends it. */
function firstBytes(limit: number) {
  let left = limit;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      left -= chunk.length;
      controller.enqueue(chunk);
      if (left <= 0) {
        controller.terminate();
      }
    },
  });
}
