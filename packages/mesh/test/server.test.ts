import { connect } from "node:net";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { policyOf } from "@smartcart/contract";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { StartError } from "@smartcart/runtime";
import { currentCall, detailOf, problemOf } from "../src/index.ts";
import { startOrderServer, startTestServer } from "./rig.ts";

/** An implementation of `CheckStock` alone. */
function checkStock(implementation: (context: HandlerContext) => Promise<object>) {
  return (router: ConnectRouter) => {
    router.service(InventoryService, { checkStock: (_, context) => implementation(context) });
  };
}

const request = { productId: "mug", quantity: 2 };
const failure = (call: Promise<unknown>) => call.then(() => undefined, ConnectError.from);

describe("one port", () => {
  test("Connect, gRPC and gRPC-Web, over HTTP/1.1 and HTTP/2", async () => {
    await using server = await startTestServer();
    const baseUrl = server.url;
    const transports = [
      createConnectTransport({ baseUrl, httpVersion: "1.1" }),
      createConnectTransport({ baseUrl, httpVersion: "2" }),
      createGrpcTransport({ baseUrl }),
      createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
      createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
      server.transport,
    ];
    for (const transport of transports) {
      const client = createClient(InventoryService, transport);
      expect(await client.checkStock(request)).toMatchObject({ isAvailable: true, available: 5 });
    }
  });

  test.each([
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
  ])("first bytes that trickle in: %j", async (text) => {
    await using server = await startTestServer();
    const socket = connect(server.port, "127.0.0.1");
    socket.setNoDelay(true);
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    for (const character of text) {
      await new Promise<void>((resolve) =>
        socket.write(character, "latin1", () => setImmediate(resolve)),
      );
    }
    // A server of HTTP/2 begins with its SETTINGS frame, type 4.
    const isSettings = () => received.charCodeAt(3) === 4;
    const isAnswer = () => received.startsWith("HTTP/1.1 200 OK");
    await expect.poll(text.startsWith("GET") ? isAnswer : isSettings).toBe(true);
    socket.destroy();
  });

  test("a taken port is an error that names its variable", async () => {
    await using server = await startTestServer();
    const second = startTestServer({ port: server.port, portVariable: "INVENTORY_PORT" });
    const error = await second.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({ variable: "INVENTORY_PORT" });
    expect((error as Error).message).toContain(`127.0.0.1:${server.port}`);
  });
});

describe("requests", () => {
  test("that break a rule are refused with violations, on the network and within the process", async () => {
    await using server = await startTestServer();
    for (const transport of [createGrpcTransport({ baseUrl: server.url }), server.transport]) {
      const error = await failure(
        createClient(InventoryService, transport).checkStock({ productId: "", quantity: 1 }),
      );
      expect(error?.code).toBe(Code.InvalidArgument);
      expect(problemOf(error)?.code).toBe("INVALID_ARGUMENT");
      expect(detailOf(error, ViolationsSchema)?.violations[0]?.field?.elements[0]?.fieldName).toBe(
        "product_id",
      );
    }
  });

  test("that are too large are refused", async () => {
    await using server = await startOrderServer({ maxBodyBytes: 1000 });
    const client = createClient(OrderService, createGrpcTransport({ baseUrl: server.url }));
    const error = await failure(client.getOrder({ orderId: "x".repeat(2000) }));
    expect(error?.code).toBe(Code.ResourceExhausted);
  });
});

describe("errors", () => {
  test("nothing of an unforeseen error reaches the caller; the log has it", async () => {
    const lines: string[] = [];
    const { createLogger } = await import("@smartcart/runtime");
    const log = createLogger({
      service: "test",
      destination: { write: (line) => lines.push(line) },
    });
    const routes = checkStock(async () => {
      throw new Error("password=hunter2");
    });
    await using server = await startTestServer({ routes, log });
    for (const transport of [createGrpcTransport({ baseUrl: server.url }), server.transport]) {
      const error = await failure(createClient(InventoryService, transport).checkStock(request));
      expect(error?.code).toBe(Code.Internal);
      expect(error?.rawMessage).toBe("internal error");
    }
    const failed = lines
      .map((line) => JSON.parse(line))
      .filter((line) => line.event === "rpc.failed");
    expect(failed).toHaveLength(2);
    expect(JSON.stringify(failed[0])).toContain("hunter2");
  });
});

describe("deadline", () => {
  const never = checkStock(() => new Promise(() => {}));

  test("ends a call for its caller even if the implementation does not care", async () => {
    await using server = await startTestServer({ routes: never, drainMs: 100 });
    for (const transport of [createGrpcTransport({ baseUrl: server.url }), server.transport]) {
      const client = createClient(InventoryService, transport);
      const error = await failure(client.checkStock(request, { timeoutMs: 30 }));
      expect(error?.code).toBe(Code.DeadlineExceeded);
    }
  });

  test("is the contract's where the caller asks for more or for none", async () => {
    const seen: (number | undefined)[] = [];
    const routes = checkStock(async (context) => {
      seen.push(context.timeoutMs());
      seen.push((currentCall()?.deadlineAtMs ?? 0) - Date.now());
      return {};
    });
    await using server = await startTestServer({ routes });
    const baseUrl = server.url;
    const transports = [
      createConnectTransport({ baseUrl, httpVersion: "1.1" }),
      createGrpcTransport({ baseUrl }),
      server.transport,
    ];
    for (const transport of transports) {
      const client = createClient(InventoryService, transport);
      await client.checkStock(request);
      await client.checkStock(request, { timeoutMs: 60_000 });
    }
    expect(seen).toHaveLength(12);
    // CheckStock has 2,000 ms in its contract.
    for (const timeoutMs of seen) {
      expect(timeoutMs).toBeGreaterThan(0);
      expect(timeoutMs).toBeLessThanOrEqual(2000);
    }
  });

  test("a caller that hangs up aborts the signal", async () => {
    const aborted = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const routes = checkStock(async ({ signal }) => {
      signal.addEventListener("abort", () => aborted.resolve());
      started.resolve();
      return new Promise(() => {});
    });
    await using server = await startTestServer({ routes, drainMs: 100 });
    const hangUp = new AbortController();
    const client = createClient(InventoryService, createGrpcTransport({ baseUrl: server.url }));
    const call = failure(client.checkStock(request, { signal: hangUp.signal }));
    await started.promise;
    hangUp.abort();
    await aborted.promise;
    expect((await call)?.code).toBe(Code.Canceled);
  });
});

describe("limits", () => {
  test("more unary calls than maxInFlight are refused, health is not", async () => {
    const end = Promise.withResolvers<object>();
    const routes = checkStock(() => end.promise);
    await using server = await startTestServer({ routes, maxInFlight: 1 });
    const client = createClient(InventoryService, createGrpcTransport({ baseUrl: server.url }));
    const calls = [failure(client.checkStock(request)), failure(client.checkStock(request))];
    const refused = await Promise.race(calls);
    expect(refused?.code).toBe(Code.Unavailable);
    expect(problemOf(refused)).toMatchObject({ code: "OVERLOADED", retryAfterMs: 1000 });
    const { Health } = await import("@smartcart/gen/grpc/health/v1/health_pb");
    expect(await createClient(Health, server.transport).check({})).toMatchObject({ status: 1 });
    end.resolve({});
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter((error) => error === undefined)).toHaveLength(1);
    expect(await client.checkStock(request)).toBeDefined();
  });
});

describe("a method that works on so many calls at once", () => {
  const { placeOrder } = OrderService.method;
  const { maxConcurrency, wait } = policyOf(placeOrder);
  const places = maxConcurrency + (wait?.maxCalls ?? 0);
  const order = { userId: "u1", address: "1 Main St", items: [{ productId: "mug", quantity: 1 }] };

  test("lets the others wait, refuses what is too much, and has begun nothing of it", async () => {
    const end = Promise.withResolvers<void>();
    let begun = 0;
    const routes = (router: ConnectRouter) => {
      router.service(OrderService, {
        async placeOrder() {
          begun += 1;
          await end.promise;
          return {};
        },
      });
    };
    await using server = await startOrderServer({ routes });
    const client = createClient(OrderService, server.transport);
    const calls = Array.from({ length: places }, () => failure(client.placeOrder(order)));
    await expect.poll(() => begun).toBe(maxConcurrency);
    const refused = await failure(client.placeOrder(order));
    expect(refused?.code).toBe(Code.ResourceExhausted);
    expect(problemOf(refused)).toMatchObject({ code: "TOO_MANY_CALLS", retryAfterMs: 1000 });
    expect(begun).toBe(maxConcurrency);
    end.resolve();
    expect((await Promise.all(calls)).filter((error) => error !== undefined)).toEqual([]);
    expect(begun).toBe(places);
  });
});

describe("operations", () => {
  const get = async (url: string) => {
    const res = await fetch(url);
    return { status: res.status, text: await res.text() };
  };

  test("readiness tells which check failed and not why", async () => {
    let broken = true;
    const checks = {
      database: async () => {
        if (broken) {
          throw new Error("password=hunter2");
        }
      },
    };
    await using server = await startTestServer({ checks });
    expect((await get(`${server.url}/healthz`)).status).toBe(200);
    expect(await get(`${server.url}/readyz`)).toEqual({
      status: 503,
      text: '{"status":"not ready","checks":{"database":"failed"}}',
    });
    broken = false;
    expect(await get(`${server.url}/readyz`)).toEqual({
      status: 200,
      text: '{"status":"ready","checks":{"database":"ok"}}',
    });
  });

  test("metrics count calls by method and code", async () => {
    await using server = await startTestServer();
    const client = createClient(InventoryService, server.transport);
    await client.checkStock(request);
    await failure(client.checkStock({}));
    const { text } = await get(`${server.url}/metrics`);
    expect(text).toMatch(
      /rpc_server_duration_seconds_count\{.*rpc_method="CheckStock",code="OK".*\} 1/,
    );
    expect(text).toMatch(/rpc_server_duration_seconds_count\{.*code="INVALID_ARGUMENT".*\} 1/);
  });
});

describe("browsers of other origins", () => {
  const preflight = { "access-control-request-method": "POST", origin: "http://shop.example" };

  test("may call where they are named, REST and RPC alike", async () => {
    await using server = await startOrderServer({ corsOrigins: ["http://shop.example"] });
    for (const path of ["/placeOrder", "/smartcart.order.v1.OrderService/GetOrder"]) {
      const res = await fetch(server.url + path, { method: "OPTIONS", headers: preflight });
      expect(res.status).toBe(204);
      expect(res.headers.get("access-control-allow-origin")).toBe("http://shop.example");
      expect(res.headers.get("access-control-allow-headers")).toContain("idempotency-key");
    }
    const { origin } = preflight;
    const res = await fetch(`${server.url}/orders/ORD-1`, { headers: { origin } });
    expect(res.headers.get("access-control-allow-origin")).toBe(origin);
    const other = await fetch(`${server.url}/orders/ORD-1`, {
      headers: { origin: "http://other" },
    });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });
});
