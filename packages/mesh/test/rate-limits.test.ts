/** Every method that an anonymous caller, a customer or an operator may call × every transport is counted; what a service calls is not. */
import { once } from "node:events";
import { globSync } from "node:fs";
import { join } from "node:path";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { accessOf, restRoutes } from "@smartcart/contract";
import { RetryInfoSchema } from "@smartcart/gen/google/rpc/error_details_pb";
import { Health } from "@smartcart/gen/grpc/health/v1/health_pb";
import {
  StreamClientFrameSchema,
  StreamServerFrameSchema,
} from "@smartcart/gen/mesh/v1/stream_frames_pb";
import { InstanceService } from "@smartcart/gen/ops/v1/instance_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import {
  createAuthenticator,
  createDevelopmentIssuer,
  createTokenVerifier,
} from "@smartcart/identity";
import { createMetrics, silentLogger } from "@smartcart/runtime";
import { createCallerTokens, createRateLimits, problemOf } from "../src/index.ts";
import { startTestServer } from "./rig.ts";

const gen = join(import.meta.dirname, "../../../gen/src");
const contracts = await Promise.all(
  globSync("smartcart/**/*_pb.ts", { cwd: gen }).map((file) => import(join(gen, file))),
);
const isService = (value: unknown): value is DescService =>
  (value as { kind?: unknown } | undefined)?.kind === "service";
const services = contracts
  .flatMap((module) => Object.values(module as object))
  .filter(isService)
  // Every server has it by itself.
  .filter((service) => service.typeName !== InstanceService.typeName);

const methods = [...services, InstanceService].flatMap((one) => one.methods);

const settings = { issuer: "https://issuer.example", audience: "smartcart" };
const secret = "a-secret-of-thirty-two-characters";
const meshSecret = "sixteen letters or more";
const issue = createDevelopmentIssuer({ ...settings, secret });
/** Of one bucket there is a request in a thousand seconds. */
const exhausted = 0.001;

/** Serves every method of every contract; none is implemented, which a call finds out after it was counted. */
function startLimited(limits: { perAddress: number; perUser: number }) {
  const metrics = createMetrics("test");
  return startTestServer({
    services,
    routes: (router) => {
      for (const service of services) router.service(service, {});
    },
    rest: [OrderService],
    streamSocketPath: "/streams",
    metrics,
    meshSecret,
    authenticate: createAuthenticator({
      verifyToken: createTokenVerifier({ ...settings, secret }),
      opsToken: undefined,
    }),
    trust: { customers: false, operators: false },
    owners: {
      order_id: { ownerOf: async () => undefined, notFound: () => new Error("not found") },
    },
    rateLimits: createRateLimits({ ...limits, log: silentLogger, metrics }),
  });
}

type Server = Awaited<ReturnType<typeof startLimited>>;
let byAddress: Server;
let byUser: Server;
beforeAll(async () => {
  byAddress = await startLimited({ perAddress: exhausted, perUser: 0 });
  byUser = await startLimited({ perAddress: 0, perUser: exhausted });
  expect(await (await fetch(`${byAddress.url}/openapi.json`)).text()).toContain("Retry-After");
});
afterAll(async () => {
  await byAddress[Symbol.asyncDispose]();
  await byUser[Symbol.asyncDispose]();
});

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  Connect: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  "Connect by GET": (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useHttpGet: true }),
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  "gRPC-Web": (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
};

const bearer = async (subject: string, isOperator = false) => ({
  authorization: `Bearer ${await issue({ subject, isOperator })}`,
});
const service = (name: string) => ({
  "smartcart-caller": createCallerTokens({ caller: name, audience: "test" }, meshSecret)(),
});

/** How a call ends; a message from a method that is not implemented would be a fault of this test. */
async function errorOf(transport: Transport, method: DescMethod, header: Record<string, string>) {
  const call = [AbortSignal.timeout(5_000), undefined, header] as const;
  const input = create(method.input);
  try {
    if (method.methodKind === "unary") {
      await transport.unary(method as never, ...call, input, createContextValues());
    } else {
      const { message } = await transport.stream(method as never, ...call, each(input));
      for await (const _ of message) return undefined;
    }
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  }
}

async function* each<T>(message: T): AsyncGenerator<never> {
  yield message as never;
}

const nameOf = (method: DescMethod) => `${method.parent.typeName}/${method.name}`;
const isLimited = (error: ConnectError | undefined) =>
  error?.code === Code.ResourceExhausted && problemOf(error)?.code === "RATE_LIMITED";

/** The methods whose calls are refused for being too many. */
async function limitedAmong(
  asked: readonly DescMethod[],
  transport: Transport,
  header: Record<string, string>,
): Promise<readonly string[]> {
  const errors = await Promise.all(asked.map((method) => errorOf(transport, method, header)));
  return asked.filter((_, i) => isLimited(errors[i])).map(nameOf);
}

describe.each(Object.keys(transports))("%s", (name) => {
  const to = (server: Server) => transports[name]?.(server.url) as Transport;

  test("a stranger is limited by address in every method, also with a forged caller token", async () => {
    const all = methods.map(nameOf);
    expect(all.length).toBeGreaterThan(40);
    expect(await limitedAmong(methods, to(byAddress), {})).toEqual(all);
    const forged = { "smartcart-caller": "order.test.9999999999.AAAA" };
    expect(await limitedAmong(methods, to(byAddress), forged)).toEqual(all);
  });

  test("a service is not limited in any method, and neither are probes", async () => {
    expect(await limitedAmong(methods, to(byAddress), service("order"))).toEqual([]);
    expect(await limitedAmong([Health.method.check], to(byAddress), {})).toEqual([]);
  });

  test.each(["customer", "operator"] as const)("a %s is limited by who they are", async (kind) => {
    const open = methods.filter((method) => accessOf(method)[kind]);
    const header = await bearer(`${kind} by ${name}`, kind === "operator");
    const [first, ...others] = open as [DescMethod, ...DescMethod[]];
    expect(await limitedAmong([first], to(byUser), header)).toEqual([]);
    expect(await limitedAmong(others, to(byUser), header)).toEqual(others.map(nameOf));
    const another = await bearer(`another ${kind} by ${name}`, kind === "operator");
    expect(await limitedAmong([first], to(byUser), another)).toEqual([]);
  });

  test("says when to try again", async () => {
    const error = await errorOf(to(byAddress), OrderService.method.getOrder, {});
    const [retry] = error?.findDetails(RetryInfoSchema) ?? [];
    expect(retry?.retryDelay && durationMs(retry.retryDelay)).toBeGreaterThan(0);
    expect(Number(error?.metadata.get("retry-after"))).toBeGreaterThan(0);
  });
});

test("REST: every route is limited, probes are not", async () => {
  for (const { verb, openApiPath } of restRoutes([OrderService])) {
    const path = openApiPath.replace(/\{[^}]*\}/g, "ORD-1");
    const answer = await fetch(`${byAddress.url}${path}`, { method: verb });
    expect(answer.status, path).toBe(429);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ code: "RATE_LIMITED", status: 429 });
  }
  for (const path of ["/docs", "/openapi.json", "/metrics", "/nothing"]) {
    expect((await fetch(`${byAddress.url}${path}`)).status, path).toBe(429);
  }
  expect((await fetch(`${byAddress.url}/healthz`)).status).toBe(200);
});

test("WebSocket: an upgrade is one request, and so is each frame", async () => {
  await using server = await startLimited({ perAddress: 1, perUser: 0 });
  const url = `${server.url.replace("http", "ws")}/streams`;
  const socket = new WebSocket(url);
  await once(socket, "open");
  const streams = methods.filter(({ methodKind }) => methodKind === "server_streaming");
  for (const [callId, method] of streams.entries()) {
    const open = { method: nameOf(method) };
    const action = { case: "open", value: open } as const;
    const frame = create(StreamClientFrameSchema, { callId, action });
    socket.send(toBinary(StreamClientFrameSchema, frame));
    const [data] = (await once(socket, "message")) as [Buffer];
    const { event } = fromBinary(StreamServerFrameSchema, data);
    expect(event).toMatchObject({ case: "end", value: { code: Code.ResourceExhausted } });
    expect(event.case === "end" && event.value.retryAfterMs).toBeGreaterThan(0);
  }
  const refused = new WebSocket(url);
  const [, answer] = await once(refused, "unexpected-response");
  expect(answer.statusCode).toBe(429);
  refused.on("error", () => {}).terminate();
  socket.terminate();
});

test("within the process nothing is counted by address", async () => {
  expect(await limitedAmong(methods, byAddress.transport, {})).toEqual([]);
});
