/** Clients of other makes, which know nothing of our code: Buf's, plain HTTP, and Python's gRPC and WebSocket. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "@smartcart/testkit";
import { buf, buildContract, runPython } from "./python.ts";
import type { Json } from "./stack.ts";
import { seedBody, startStack, wholeLife } from "./stack.ts";

let shop: Awaited<ReturnType<typeof startStack>>;
let contract: Awaited<ReturnType<typeof buildContract>>;
beforeAll(async () => {
  [shop, contract] = await Promise.all([startStack(), buildContract()]);
});
afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await contract?.[Symbol.asyncDispose]();
});

const checkStock = "smartcart.inventory.v1.InventoryService/CheckStock";
const processPayment = "smartcart.payment.v1.PaymentService/ProcessPayment";
const plenty = { productId: "espresso-beans", quantity: 2 };
const charge = (orderId: string) => ({
  orderId,
  userId: "u1",
  amount: { currencyCode: "USD", minorUnits: "1450" },
  paymentToken: "tok_visa",
});

interface Way {
  readonly protocol: string;
  readonly http: "1.1" | "2.0";
}

/** All that the one port speaks. */
const ways: readonly Way[] = [
  { protocol: "grpc", http: "2.0" },
  { protocol: "grpcweb", http: "2.0" },
  { protocol: "grpcweb", http: "1.1" },
  { protocol: "connect", http: "2.0" },
  { protocol: "connect", http: "1.1" },
];

/** Calls a method by `buf curl`, and tells the version of HTTP that the answer came by. */
async function bufCurl({ protocol, http }: Way, url: string, request: object) {
  // Reflection is a stream in both directions, which HTTP/1.1 cannot carry: there, buf reads the schema from a file.
  const flags = http === "2.0" ? ["--http2-prior-knowledge"] : ["--schema", contract.file];
  const data = ["--data", JSON.stringify(request)];
  const args = ["curl", "--verbose", "--protocol", protocol, ...flags, ...data, url];
  const { code, stdout, stderr } = await runCommand(buf, args);
  if (code !== 0) throw new Error(stderr);
  const answer: Json = JSON.parse(stdout);
  return { answer, http: stderr.match(/HTTP\/(\S+) 200/g)?.at(-1) };
}

describe("buf curl", () => {
  it.each(ways)("asks for stock by $protocol over HTTP/$http", async (way) => {
    const { answer, http } = await bufCurl(way, `${shop.urls.inventory}/${checkStock}`, plenty);
    expect(answer).toEqual({ isAvailable: true, available: expect.any(Number) });
    expect(http).toBe(`HTTP/${way.http} 200`);
  });

  it.each(ways)("charges by $protocol over HTTP/$http", async (way) => {
    const request = charge(`ORD-${way.protocol}-${way.http}`);
    const { answer } = await bufCurl(way, `${shop.urls.payment}/${processPayment}`, request);
    expect(answer.payment).toMatchObject({
      orderId: request.orderId,
      status: "PAYMENT_STATUS_CAPTURED",
      amount: request.amount,
    });
  });

  it.each(["grpc-v1", "grpc-v1alpha"])("lists methods by reflection %s", async (version) => {
    const flags = ["--http2-prior-knowledge", "--reflect-protocol", version, "--list-methods"];
    const url = shop.urls.inventory ?? "";
    const { stdout, stderr } = await runCommand(buf, ["curl", ...flags, url]);
    expect(stdout, stderr).toContain(checkStock);
  });

  it("is told what is wrong with a request", async () => {
    const ask = (request: object) =>
      bufCurl({ protocol: "grpc", http: "2.0" }, `${shop.urls.inventory}/${checkStock}`, request);
    await expect(ask({ ...plenty, productId: "unobtainium" })).rejects.toThrow(/"not_found"/);
    await expect(ask({ ...plenty, quantity: 0 })).rejects.toThrow(/"invalid_argument"/);
  });
});

describe("plain HTTP/1.1 with JSON", () => {
  it("calls a method by POST", async () => {
    const response = await fetch(`${shop.urls.inventory}/${checkStock}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ productId: "copper-moka-pot", quantity: 1_000 }),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ isAvailable: false, available: 4 });
  });

  it("calls a method that only reads by GET", async () => {
    const message = encodeURIComponent(JSON.stringify(plenty));
    const url = `${shop.urls.inventory}/${checkStock}?encoding=json&connect=v1&message=${message}`;
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ isAvailable: true });
  });
});

describe("python3-grpcio", () => {
  const call = async (service: string, method: string, request: object): Promise<Json> => {
    const target = new URL(shop.urls[service] ?? "").host;
    const args = [target, contract.file, method, JSON.stringify(request)];
    return JSON.parse(await runPython("grpc_call.py", ...args));
  };

  it("asks for stock", async () => {
    expect(await call("inventory", checkStock, plenty)).toMatchObject({ isAvailable: true });
  });

  it("places an order", async () => {
    const answer = await call("order", "smartcart.order.v1.OrderService/PlaceOrder", seedBody);
    expect(answer.order).toMatchObject({ status: "CONFIRMED", userId: "u1" });
    expect(await shop.history(answer.order.orderId, "Shipped")).toEqual(wholeLife);
  });

  it("understands what is wrong with a request", async () => {
    const answer = await call("inventory", checkStock, { ...plenty, productId: "unobtainium" });
    expect(answer).toEqual({
      status: "NOT_FOUND",
      details: expect.stringContaining("unobtainium"),
    });
  });

  it.each([
    "order",
    "inventory",
    "payment",
    "status-hub",
    "log",
    "notification",
    "shipping",
    "ops",
  ])("asks %s for its health", async (service) => {
    expect(await call(service, "grpc.health.v1.Health/Check", {})).toEqual({ status: "SERVING" });
  });
});

describe("python3-websockets", () => {
  it("follows an order until it is shipped", async () => {
    const { body } = await shop.place(seedBody);
    const url = `${shop.urls["status-hub"]?.replace("http", "ws")}/ws`;
    const lines = (await runPython("follow_order.py", url, body.orderId)).trim().split("\n");
    const frames = lines.map((line) => JSON.parse(line));
    expect(frames.map((frame) => frame.status)).toEqual(wholeLife);
    expect(frames.map((frame) => frame.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
