/**
 * Every principal × every method × every transport, from the descriptors: each cell is as the contract says. What belongs to another
 * customer is told apart in mesh's access.test.ts and at the end of this file.
 */
import type { Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { frameAccessOf, restRoutes, serviceNames } from "@smartcart/contract";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { SubscriptionSchema } from "@smartcart/gen/status/v1/frames_pb";
import { createCallerTokens } from "@smartcart/mesh";
import { upstreamFor } from "@smartcart/web/proxy-rules";
import { buildPage } from "../src/web/build-page.ts";
import type { Who } from "./access-cells.ts";
import { checkAccess, expected, served, wrongOnes } from "./access-cells.ts";
import { startStack } from "./stack.ts";

const authIssuer = "https://issuer.example";
const authSecret = "a-secret-of-thirty-two-characters";
const meshSecret = "the-secret-of-the-services";
const opsToken = "the-token-of-the-operators";

const now = () => Math.floor(Date.now() / 1_000);
const claims = (o: object = {}) => ({
  sub: "ada",
  iss: authIssuer,
  aud: "smartcart",
  exp: now() + 600,
  ...o,
});
const bearer = async (o: object = {}, secret = authSecret) => {
  const jwt = new SignJWT(claims(o)).setProtectedHeader({ alg: "HS256" });
  return { authorization: `Bearer ${await jwt.sign(new TextEncoder().encode(secret))}` };
};
const caller = (name: string, audience: string, secret = meshSecret) => ({
  "smartcart-caller": createCallerTokens({ caller: name, audience }, secret)(),
});

const principals: Readonly<Record<string, Who>> = {
  anonymous: { kind: "anonymous", headers: () => ({}) },
  "customer ada": { kind: "customer", headers: () => bearer() },
  operator: { kind: "operator", headers: () => bearer({ sub: "olga", scope: "operator" }) },
  "bearer of OPS_TOKEN": {
    kind: "operator",
    headers: () => ({ authorization: `Bearer ${opsToken}` }),
  },
  "an expired token": { kind: "bad token", headers: () => bearer({ exp: now() - 600 }) },
  "another issuer's token": {
    kind: "bad token",
    headers: () => bearer({ iss: "https://evil.example" }),
  },
  "a token for another audience": { kind: "bad token", headers: () => bearer({ aud: "another" }) },
  "a token signed by another": {
    kind: "bad token",
    headers: () => bearer({}, "another-secret-of-many-characters"),
  },
  "an unsigned token": {
    kind: "bad token",
    headers: () => ({
      authorization: `Bearer ${new UnsecuredJWT(claims({ scope: "operator" })).encode()}`,
    }),
  },
  "a forged service": {
    kind: "anonymous",
    headers: (at) => caller("order", at, "another-secret-of-many-letters"),
  },
  "a service with a token for another": {
    kind: "anonymous",
    headers: (at) => caller("order", at === "payment" ? "inventory" : "payment"),
  },
  ...Object.fromEntries(
    [...serviceNames].map((name) => [
      `service ${name}`,
      { kind: "service", name, headers: (at: string) => caller(name, at) } as const,
    ]),
  ),
};

let shop: Awaited<ReturnType<typeof startStack>>;
const orders = { ada: "", bo: "" };
beforeAll(async () => {
  const env = {
    AUTH_ISSUER: authIssuer,
    AUTH_SECRET: authSecret,
    MESH_SECRET: meshSecret,
    OPS_TOKEN: opsToken,
    SMARTCART_DEMO: "0",
  };
  shop = await startStack({ env, page: await buildPage() });
  for (const sub of ["ada", "bo"] as const) {
    const body = { items: [{ productId: "espresso-beans", quantity: 1 }], address: "1 Main St" };
    const placed = await shop.place(body, await bearer({ sub }));
    expect(placed.status, placed.text).toBe(201);
    orders[sub] = placed.body.orderId;
  }
});
afterAll(() => shop[Symbol.asyncDispose]());

const asked = (headers: Record<string, string>) => ({ headers, orderId: orders.ada });
const transports: Readonly<Record<string, (url: string) => Transport>> = {
  Connect: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  "gRPC-Web": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
};

let cells = 0;
afterAll(() => process.stdout.write(`access matrix: ${cells} cells\n`));

describe.each(Object.keys(transports))("%s", (transportName) => {
  test.each(Object.keys(principals))("%s", async (name) => {
    const who = principals[name] as Who;
    const headersAt = Object.fromEntries(
      await Promise.all(served.map(async ([, at]) => [at, await who.headers(at)] as const)),
    );
    const outcomes = await Promise.all(
      served.flatMap(([service, at]) => {
        const headers = headersAt[at] ?? {};
        const transport = transports[transportName]?.(shop.urls[at] ?? "") as Transport;
        return service.methods.map((method) =>
          checkAccess(transport, method, { ...asked(headers), wanted: expected(method, who) }),
        );
      }),
    );
    cells += outcomes.length;
    expect(outcomes.length).toBeGreaterThan(30);
    expect(wrongOnes(outcomes)).toEqual([]);
  });
});

test.each(Object.keys(principals))("through the page: %s", async (name) => {
  const who = principals[name] as Who;
  const headers = await who.headers("order");
  const transport = transports.Connect?.(shop.urls.web ?? "") as Transport;
  const outcomes = await Promise.all(
    served.flatMap(([service]) => {
      const isPassed = upstreamFor({ path: `/${service.typeName}/Any` }) !== undefined;
      // Caller tokens stay outside: no service calls another one through the page.
      const seen: Who = who.kind === "service" ? { kind: "anonymous", headers: who.headers } : who;
      return service.methods.map((method) =>
        checkAccess(transport, method, {
          ...asked(headers),
          wanted: isPassed ? expected(method, seen) : "not served",
        }),
      );
    }),
  );
  cells += outcomes.length;
  expect(wrongOnes(outcomes)).toEqual([]);
});

test.each(Object.keys(principals))("by REST: %s", async (name) => {
  const who = principals[name] as Who;
  // What is no person has no business here.
  const seen: Who = who.kind === "service" ? { kind: "anonymous", headers: who.headers } : who;
  const headers = await who.headers("order");
  for (const base of [shop.urls.order, shop.urls.web]) {
    for (const { verb, openApiPath, method } of restRoutes([OrderService])) {
      const path = openApiPath.replace(/\{[^}]*\}/g, orders.ada);
      const init = {
        method: verb,
        headers: { accept: "application/json", "content-type": "application/json", ...headers },
      };
      const answer = await fetch(
        `${base}${path}`,
        verb === "POST" ? { ...init, body: "{}" } : init,
      );
      await answer.arrayBuffer();
      const outcome =
        answer.status === 401 ? "not known" : answer.status === 403 ? "not allowed" : "let in";
      expect(outcome, `${verb} ${path} ${answer.status}`).toBe(expected(method, seen));
      cells += 1;
    }
  }
});

/** 101, or the status of the refusal. */
async function statusOf(socket: WebSocket): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  socket.once("open", () => resolve(101));
  socket.once("unexpected-response", (_, { statusCode = 0 }) => resolve(statusCode));
  socket.on("error", reject);
  try {
    return await promise;
  } finally {
    socket.off("error", reject).on("error", () => {});
    socket.terminate();
  }
}

test.each(Object.keys(principals))("by WebSocket: %s", async (name) => {
  const who = principals[name] as Who;
  const rule = frameAccessOf(SubscriptionSchema);
  const headers = await who.headers("order");
  const { authorization } = headers as { authorization?: string };
  const token = authorization?.replace("Bearer ", "");
  for (const base of [shop.urls["status-hub"], shop.urls.web]) {
    const url = `${base?.replace("http", "ws")}/ws`;
    const ways = [
      () => new WebSocket(url, { headers }),
      () =>
        new WebSocket(url, token === undefined ? [] : ["smartcart", `smartcart.bearer.${token}`]),
    ];
    for (const open of ways) {
      const status = await statusOf(open());
      // A service follows orders by the queue, not by a socket.
      const isLetIn =
        (who.kind === "customer" && rule.customer !== undefined) ||
        (who.kind === "operator" && rule.operator);
      expect(status).toBe(isLetIn ? 101 : 401);
      cells += 1;
    }
  }
});

test("what is another's does not exist, and cannot be acted on", async () => {
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    ...(await bearer()),
  };
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${shop.urls.web}${path}`, { headers, ...init });
    return {
      status: answer.status,
      body: (await answer.json()) as { code?: string; orders?: unknown[]; detail?: string },
    };
  };
  const unknown = `ORD-${"0".repeat(26)}`;
  for (const suffix of ["", "/events"]) {
    const [theirs, unknownOnes] = [
      await ask(`/orders/${orders.bo}${suffix}`),
      await ask(`/orders/${unknown}${suffix}`),
    ];
    expect(theirs).toMatchObject({ status: 404, body: { code: "ORDER_NOT_FOUND" } });
    const said = JSON.stringify(theirs.body).replaceAll(orders.bo, unknown);
    expect(JSON.parse(said)).toEqual(unknownOnes.body);
    expect((await ask(`/orders/${orders.ada}${suffix}`)).status).toBe(200);
  }
  const theirShipment = await ask(`/orders/${orders.bo}/shipment`);
  expect(theirShipment).toMatchObject({ status: 404, body: { code: "ORDER_NOT_FOUND" } });
  expect((await ask(`/orders/${orders.bo}/cancel`, { method: "POST", body: "{}" })).status).toBe(
    404,
  );
  expect((await ask("/orders?userId=bo")).status).toBe(403);
  expect((await ask("/orders")).body.orders).toHaveLength(1);
  const order = {
    userId: "bo",
    items: [{ productId: "espresso-beans", quantity: 1 }],
    address: "x",
  };
  expect((await ask("/placeOrder", { method: "POST", body: JSON.stringify(order) })).status).toBe(
    403,
  );
});

test("an idempotency key is its customer's: another customer does not get the stored answer", async () => {
  const key = { "idempotency-key": "one-key" };
  const body = { items: [{ productId: "espresso-beans", quantity: 1 }], address: "x" };
  const [ada, bo] = [
    await shop.place(body, { ...(await bearer()), ...key }),
    await shop.place(body, { ...(await bearer({ sub: "bo" })), ...key }),
  ];
  expect([ada.status, bo.status]).toEqual([201, 201]);
  expect(ada.body.orderId).not.toBe(bo.body.orderId);
  const again = await shop.place(body, { ...(await bearer()), ...key });
  expect(again.body.orderId).toBe(ada.body.orderId);
});
