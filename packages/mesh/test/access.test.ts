/** Which callers may call which methods, over every transport. */
import type { DescMethod } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { Principal } from "@smartcart/identity";
import {
  createAuthenticator,
  createDevelopmentIssuer,
  createTokenVerifier,
} from "@smartcart/identity";
import { refusalOf } from "../src/auth/access.ts";
import { createCallerTokens } from "../src/auth/caller-token.ts";
import { DomainError } from "../src/index.ts";
import { startOrderServer } from "./rig.ts";

const settings = {
  issuer: "https://issuer.example",
  audience: "smartcart",
  secret: "a-secret-of-thirty-two-characters",
};
const meshSecret = "sixteen letters or more";
const issue = createDevelopmentIssuer(settings);
const opsToken = "ops-token-0123456789";
/** Orders by whose they are. */
const ordersOf: Readonly<Record<string, string>> = { "ORD-ada": "ada", "ORD-bo": "bo" };

let server: Awaited<ReturnType<typeof startOrderServer>>;
let transports: Readonly<Record<string, Transport>>;

beforeAll(async () => {
  server = await startOrderServer({
    meshSecret,
    authenticate: createAuthenticator({ verifyToken: createTokenVerifier(settings), opsToken }),
    trust: { customers: false, operators: false },
    owners: {
      order_id: {
        ownerOf: async (id) => ordersOf[id],
        notFound: (id) =>
          new DomainError({
            code: "ORDER_NOT_FOUND",
            rpcCode: Code.NotFound,
            title: "No such order",
            message: `There is no order ${id}.`,
          }),
      },
    },
  });
  const baseUrl = server.url;
  transports = {
    Connect: createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    gRPC: createGrpcTransport({ baseUrl }),
    "gRPC-Web": createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
    "in process": server.transport,
  };
});
afterAll(() => server[Symbol.asyncDispose]());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
type Headers = Promise<Record<string, string>>;
const ada = async (): Headers => bearer(await issue({ subject: "ada" }));
const caller = (name: string, { secret = meshSecret, audience = "test" } = {}) => ({
  "smartcart-caller": createCallerTokens({ caller: name, audience }, secret)(),
});
const hub = async (): Headers => caller("status-hub");
const as = {
  anonymous: async () => ({}),
  ada,
  operator: async () => bearer(await issue({ subject: "ops", isOperator: true })),
  "bearer of OPS_TOKEN": async () => bearer(opsToken),
  hub,
  ops: async () => caller("ops"),
  inventory: async () => caller("inventory"),
  "hub for ada": async () => ({ ...(await ada()), ...(await hub()) }),
  "forged service": async () => caller("status-hub", { secret: "another secret 123" }),
  "ops with a token for another service": async () => caller("ops", { audience: "payment" }),
  garbage: async () => bearer("a.b.c"),
} satisfies Record<string, () => Headers>;
type Who = keyof typeof as;

describe.each(["Connect", "gRPC", "gRPC-Web", "in process"])("by %s", (name) => {
  const { placeOrder, getOrder, listOrders, listOrderEvents } = OrderService.method;

  async function codeOf(
    who: Who,
    method: DescMethod,
    request: Record<string, unknown>,
  ): Promise<string> {
    const transport = transports[name] as Transport;
    const client = createClient(OrderService, transport) as unknown as Record<
      string,
      (request: object, options: object) => Promise<unknown>
    >;
    try {
      await client[method.localName]?.(create(method.input, request), { headers: await as[who]() });
      return "OK";
    } catch (error) {
      return Code[ConnectError.from(error).code];
    }
  }

  test.each<[Who, DescMethod, Record<string, unknown>, string]>([
    ["anonymous", getOrder, { orderId: "ORD-ada" }, "Unauthenticated"],
    ["ada", getOrder, { orderId: "ORD-ada" }, "OK"],
    ["ada", getOrder, { orderId: "ORD-bo" }, "NotFound"],
    ["operator", getOrder, { orderId: "ORD-bo" }, "OK"],
    ["bearer of OPS_TOKEN", getOrder, { orderId: "ORD-bo" }, "OK"],
    ["hub", getOrder, { orderId: "ORD-ada" }, "PermissionDenied"],
    ["garbage", getOrder, { orderId: "ORD-ada" }, "Unauthenticated"],
    ["ada", getOrder, { orderId: "" }, "InvalidArgument"],
    ["ada", listOrders, { userId: "ada" }, "OK"],
    ["ada", listOrders, {}, "OK"],
    ["ada", listOrders, { userId: "bo" }, "PermissionDenied"],
    ["operator", listOrders, { userId: "bo" }, "OK"],
    ["operator", listOrders, {}, "InvalidArgument"],
    ["hub", listOrderEvents, { orderId: "ORD-bo" }, "PermissionDenied"],
    ["ops", placeOrder, {}, "InvalidArgument"],
    ["inventory", placeOrder, {}, "PermissionDenied"],
    ["ops with a token for another service", placeOrder, {}, "Unauthenticated"],
    ["hub for ada", listOrderEvents, { orderId: "ORD-bo" }, "NotFound"],
    ["hub for ada", listOrderEvents, { orderId: "ORD-ada" }, "OK"],
    ["inventory", listOrderEvents, { orderId: "ORD-bo" }, "PermissionDenied"],
    ["forged service", listOrderEvents, { orderId: "ORD-bo" }, "Unauthenticated"],
  ])("%s: %s %j: %s", async (who, method, request, expected) => {
    expect(await codeOf(who, method, request)).toBe(expected);
  });
});

test("by REST: 401 with a challenge, 404 for what is another's, and the customer filled in", async () => {
  const get = async (path: string, who: Who) => {
    const answer = await fetch(`${server.url}${path}`, { headers: await as[who]() });
    return {
      status: answer.status,
      challenge: answer.headers.get("www-authenticate"),
      body: await answer.json(),
    };
  };
  expect(await get("/orders/ORD-ada", "anonymous")).toMatchObject({
    status: 401,
    challenge: "Bearer",
    body: { code: "SIGN_IN_NEEDED" },
  });
  expect(await get("/orders/ORD-ada", "garbage")).toMatchObject({
    status: 401,
    body: { code: "TOKEN_INVALID" },
  });
  expect(await get("/orders/ORD-bo", "ada")).toMatchObject({
    status: 404,
    body: { code: "ORDER_NOT_FOUND" },
  });
  expect(await get("/orders/ORD-ada", "ada")).toMatchObject({ status: 200 });
  expect(await get("/orders?userId=bo", "ada")).toMatchObject({
    status: 403,
    body: { code: "ACCESS_DENIED" },
  });
  expect(await get("/orders", "ada")).toMatchObject({
    status: 200,
    body: { orders: [{ orderId: "ORD-ada-0" }] },
  });
});

test("a server that cannot tell the owner of what it keeps for owners does not start", async () => {
  const authenticate = createAuthenticator({ verifyToken: undefined, opsToken });
  await expect(startOrderServer({ authenticate })).rejects.toThrow(
    "no owner is known for order_id",
  );
});

describe("whom a server takes at their word", () => {
  const anonymous: Principal = { kind: "anonymous" };
  const rule = { isPublic: false, customer: undefined, operator: false, services: [] as string[] };
  const customer = { subject: undefined, resource: undefined };
  const all = { customers: true, operators: true, services: true };

  test.each([
    [
      "a customer's method, customers trusted",
      { ...rule, customer },
      { ...all, operators: false, services: false },
      true,
    ],
    [
      "a customer's method, customers not trusted",
      { ...rule, customer },
      { ...all, customers: false },
      false,
    ],
    [
      "an operator's method, operators trusted",
      { ...rule, operator: true },
      { ...all, customers: false, services: false },
      true,
    ],
    [
      "an operator's method, operators not trusted",
      { ...rule, operator: true },
      { ...all, operators: false },
      false,
    ],
    [
      "a service's method, services trusted",
      { ...rule, services: ["order"] },
      { ...all, customers: false, operators: false },
      true,
    ],
    [
      "a service's method, services not trusted",
      { ...rule, services: ["order"] },
      { ...all, services: false },
      false,
    ],
    [
      "a method of operators and services, only operators trusted",
      { ...rule, operator: true, services: ["order"] },
      { ...all, services: false },
      false,
    ],
    [
      "a method of operators and services, only services trusted",
      { ...rule, operator: true, services: ["order"] },
      { ...all, operators: false },
      false,
    ],
  ])("%s", (_, access, trust, isLetIn) => {
    expect(refusalOf(access, anonymous, trust) === undefined).toBe(isLetIn);
  });
});
