import { Agent, get } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@smartcart/gen/grpc/health/v1/health_pb";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { startTestServer } from "./rig.ts";

const request = { productId: "mug", quantity: 2 };
const failure = (call: Promise<unknown>) => call.then(() => undefined, ConnectError.from);

/** CheckStock answers when the test says so, and tells when it has begun. */
function held() {
  const started = Promise.withResolvers<AbortSignal>();
  const end = Promise.withResolvers<void>();
  const routes = (router: ConnectRouter) => {
    router.service(InventoryService, {
      async checkStock(_, { signal }) {
        started.resolve(signal);
        await end.promise;
        return { available: 5 };
      },
      async *watchStock() {
        yield {};
        await new Promise(() => {});
      },
    });
  };
  return { routes, started: started.promise, end: end.resolve };
}

describe("disposing", () => {
  test.each(["HTTP/1.1", "HTTP/2", "process"])(
    "lets a call under way finish over %s",
    async (way) => {
      const { routes, started, end } = held();
      const server = await startTestServer({ routes });
      const baseUrl = server.url;
      const transport = {
        "HTTP/1.1": createConnectTransport({ baseUrl, httpVersion: "1.1" }),
        "HTTP/2": createGrpcTransport({ baseUrl }),
        process: server.transport,
      }[way];
      const call = createClient(InventoryService, transport ?? server.transport).checkStock(
        request,
      );
      await started;
      const disposed = server[Symbol.asyncDispose]();
      expect(server.status()).toBe("draining");
      end();
      expect(await call).toMatchObject({ available: 5 });
      await disposed;
    },
  );

  test("says so first: readiness and health, and to those who watch it", async () => {
    const { routes, started, end } = held();
    const server = await startTestServer({ routes, drainNoticeMs: 1000 });
    const transport = createGrpcTransport({ baseUrl: server.url });
    const call = createClient(InventoryService, transport).checkStock(request);
    await started;
    const health = createClient(Health, transport);
    expect(await health.check({ service: InventoryService.typeName })).toMatchObject({
      status: Status.SERVING,
    });
    expect((await failure(health.check({ service: "nothing.v1.Nothing" })))?.code).toBe(
      Code.NotFound,
    );
    const seen: Status[] = [];
    const watching = failure(
      (async () => {
        for await (const { status } of health.watch({})) {
          seen.push(status);
        }
      })(),
    );
    await expect.poll(() => seen).toEqual([Status.SERVING]);

    const disposed = server[Symbol.asyncDispose]();
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    expect(await health.check({})).toMatchObject({ status: Status.NOT_SERVING });
    expect(await health.list({})).toMatchObject({
      statuses: { [InventoryService.typeName]: { status: Status.NOT_SERVING } },
    });
    expect((await watching)?.code).toBe(Code.Unavailable);
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
    end();
    await Promise.all([call, disposed]);
  });

  test("ends streams with UNAVAILABLE, also those whose implementation hangs", async () => {
    const server = await startTestServer({ routes: held().routes });
    const transports = [createGrpcTransport({ baseUrl: server.url }), server.transport];
    const streams = transports.map((transport) =>
      createClient(InventoryService, transport).watchStock({})[Symbol.asyncIterator](),
    );
    await Promise.all(streams.map((stream) => stream.next()));
    const ends = streams.map((stream) => failure(stream.next()));
    await server[Symbol.asyncDispose]();
    expect((await Promise.all(ends)).map((error) => error?.code)).toEqual([
      Code.Unavailable,
      Code.Unavailable,
    ]);
  });

  test("cuts off after drainMs what does not end, and tells its caller", async () => {
    const { routes, started } = held();
    const server = await startTestServer({ routes, drainMs: 50 });
    const call = failure(
      createClient(InventoryService, createGrpcTransport({ baseUrl: server.url })).checkStock(
        request,
      ),
    );
    const signal = await started;
    await server[Symbol.asyncDispose]();
    expect((await call)?.code).toBe(Code.Unavailable);
    expect(signal.aborted).toBe(true);
  });

  test("sends GOAWAY, closes idle connections and refuses new ones and new calls", async () => {
    const server = await startTestServer();
    const session = connectHttp2(server.url);
    const goaway = new Promise<number>((resolve) => session.once("goaway", resolve));
    const kept = await fetch(`${server.url}/healthz`);
    await kept.text();
    await new Promise((resolve) => session.ping(resolve));
    await server[Symbol.asyncDispose]();
    expect(await goaway).toBe(0);
    expect(await connectError(server.port)).toBe("ECONNREFUSED");
    const call = createClient(InventoryService, server.transport).checkStock(request);
    expect((await failure(call))?.code).toBe(Code.Unavailable);
  });

  test("tells a client of HTTP/1.1 with the answer under way that no other will follow", async () => {
    const { routes, started, end } = held();
    const server = await startTestServer({ routes });
    const path = "smartcart.inventory.v1.InventoryService/CheckStock";
    const answer = fetch(`${server.url}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    await started;
    const disposed = server[Symbol.asyncDispose]();
    await expect.poll(() => connectError(server.port)).toBe("ECONNREFUSED");
    end();
    expect((await answer).headers.get("connection")).toBe("close");
    await disposed;
  });

  test("answers a last request on a connection that was idle when the port was closed", async () => {
    const server = await startTestServer({ drainNoticeMs: 1500 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await healthz(server.url, agent)).toEqual([200, "keep-alive", false]);
    const disposed = server[Symbol.asyncDispose]();
    await expect.poll(() => connectError(server.port), { timeout: 5000 }).toBe("ECONNREFUSED");
    expect(await healthz(server.url, agent)).toEqual([200, "close", true]);
    await disposed;
  });

  test("lets in everybody who has connected before the port is closed", async () => {
    const server = await startTestServer();
    const answers = Array.from({ length: 20 }, () => firstLine(server.port));
    // Sockets connect at the next tick; the server lets the first one in at a later turn of the event loop.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    await server[Symbol.asyncDispose]();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["HTTP/1.1 200 OK"]));
  });

  test("twice is the same as once", async () => {
    const server = await startTestServer();
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    await server[Symbol.asyncDispose]();
  });

  test("closes a connection that never said anything", async () => {
    const server = await startTestServer({ drainMs: 600_000 });
    const socket = connect(server.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await server[Symbol.asyncDispose]();
    await closed;
  });
});

/** The code of the error with which connecting fails; undefined where it does not. */
function connectError(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.once("connect", () => resolve(undefined)).once("connect", () => socket.destroy());
  });
}

/** The status, what is to become of the connection, and whether it was used before. */
function healthz(url: string, agent: Agent) {
  return new Promise((resolve, reject) => {
    const sent = get(`${url}/healthz`, { agent }, (response) => {
      const { statusCode, headers } = response;
      response
        .resume()
        .once("end", () => resolve([statusCode, headers.connection, sent.reusedSocket]));
    });
    sent.once("error", reject);
  });
}

/** The first line of the answer to a client that connects, asks, and listens to the end. */
function firstLine(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () =>
      socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", (error) => resolve(error.message));
    socket.once("close", () => resolve(text.split("\r\n", 1)[0] ?? ""));
  });
}
