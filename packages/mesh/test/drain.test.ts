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
    const refused = await new Promise<NodeJS.ErrnoException>((resolve) =>
      connect(server.port, "127.0.0.1").once("error", resolve),
    );
    expect(refused.code).toBe("ECONNREFUSED");
    const call = createClient(InventoryService, server.transport).checkStock(request);
    expect((await failure(call))?.code).toBe(Code.Unavailable);
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
