/** What one connection of HTTP/2 can do to the server, and to the other calls on it. */
import { execFile } from "node:child_process";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { connect, constants } from "node:http2";
import type { AddressInfo } from "node:net";
import { connect as connectTcp, createServer } from "node:net";
import { promisify } from "node:util";
import type { ConnectRouter } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { silentLogger } from "@smartcart/runtime";
import { createServiceClient } from "../src/index.ts";
import { cancel, opening, postHeaders } from "./raw-http2.ts";
import { startOrderServer, startTestServer } from "./rig.ts";

const run = promisify(execFile);
const unary = `/${OrderService.typeName}/GetOrder`;
const patience = { timeout: 15_000, interval: 50 };

/** CheckStock that never answers, and a stream that waits for `push`. */
function feed() {
  let push = () => {};
  let begun = 0;
  let aborted = 0;
  const routes = (router: ConnectRouter) => {
    router.service(InventoryService, {
      async checkStock(_, { signal }) {
        begun += 1;
        signal.addEventListener("abort", () => {
          aborted += 1;
        });
        return new Promise(() => {});
      },
      async *watchStock(_, { signal }) {
        signal.addEventListener("abort", () => {
          aborted += 1;
        });
        yield {};
        for (;;) {
          await new Promise<void>((resolve) => {
            push = resolve;
          });
          yield {};
        }
      },
    });
  };
  return { routes, push: () => push(), begun: () => begun, aborted: () => aborted };
}

/** Bytes of a body that is never complete. */
function postOf(session: ClientHttp2Session, path: string, contentType: string): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": contentType,
  });
  stream.on("error", () => {});
  return stream;
}

function statusAndText(stream: ClientHttp2Stream): Promise<[number, string]> {
  return new Promise((resolve) => {
    let status = 0;
    let text = "";
    stream.on("response", (headers) => {
      status = Number(headers[":status"]);
    });
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    stream.on("close", () => resolve([status, text]));
  });
}

describe("a client that is gone", () => {
  test("leaves no connection behind, whichever side closed first", async () => {
    await using server = await startOrderServer();
    const connections = () =>
      run("ss", ["-tnH", `sport = :${server.port}`]).then(({ stdout }) =>
        stdout.split("\n").filter((line) => line !== "" && !line.startsWith("TIME-WAIT")),
      );
    for (let i = 0; i < 20; i++) {
      const curl = ["-s", "--http2-prior-knowledge", "-w", "%{http_code}", "-o", "/dev/null"];
      const { stdout } = await run("curl", [...curl, `${server.url}/healthz`]);
      expect(stdout).toBe("200");
    }
    await expect.poll(connections, patience).toEqual([]);
  });

  test("ends its streams, though it only closed its side", async () => {
    const { routes, aborted } = feed();
    await using server = await startTestServer({ routes });
    // Between the client and the server, so that a bare FIN can be sent.
    const relay = createServer({ allowHalfOpen: true }, (inside) => {
      const outside = connectTcp({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
      inside.pipe(outside);
      outside.pipe(inside);
      relay.once("drop", () => outside.end());
      inside.on("error", () => {});
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
    const client = createClient(InventoryService, createGrpcTransport({ baseUrl }));
    const stop = new AbortController();
    const stream = client.watchStock({}, { signal: stop.signal })[Symbol.asyncIterator]();
    await stream.next();
    relay.emit("drop");
    await expect.poll(aborted, patience).toBe(1);
    stop.abort();
    await stream.next().catch(() => {});
    relay.close();
  });
});

describe("calls that are cancelled", () => {
  test("by the thousand leave the others of their connection alone", async () => {
    const { routes, push, begun, aborted } = feed();
    await using server = await startTestServer({ routes, drainMs: 200 });
    const client = createClient(
      InventoryService,
      createGrpcTransport({ baseUrl: server.url, pingIntervalMs: 60_000 }),
    );
    const stream = client.watchStock({})[Symbol.asyncIterator]();
    await stream.next();
    await cancelMany(client, begun);
    await expect.poll(aborted, patience).toBeGreaterThan(0);
    push();
    expect((await stream.next()).done).toBe(false);
    await stream.return?.();
  });

  test("by a service, too", async () => {
    const { routes, push, begun } = feed();
    await using server = await startTestServer({ routes, drainMs: 200 });
    using client = createServiceClient(InventoryService, {
      caller: "order",
      baseUrl: server.url,
      log: silentLogger,
    });
    const stream = client.watchStock({})[Symbol.asyncIterator]();
    await stream.next();
    await cancelMany(client, begun);
    push();
    expect((await stream.next()).done).toBe(false);
    await stream.return?.();
  });

  test("in a flood end the connection that floods, and no other; the next one waits", async () => {
    await using server = await startOrderServer();
    const calm = connect(server.url);
    const health = (session: ClientHttp2Session) =>
      statusAndText(session.request({ ":path": "/healthz" }).resume());
    expect((await health(calm))[0]).toBe(200);
    const cpuBefore = process.cpuUsage().user;
    for (let round = 0; round < 3; round++) {
      await floodUntilClosed(server.port);
      expect((await health(calm))[0]).toBe(200);
    }
    // The burst of the first round is nearly all that was worked on, client and server together.
    expect((process.cpuUsage().user - cpuBefore) / 1e6).toBeLessThan(20);
    const late = connect(server.url);
    expect((await health(late))[0]).toBe(200);
    late.destroy();
    calm.destroy();
  });
});

/** Opens and aborts streams as fast as the server takes them, until it has enough of that. */
function floodUntilClosed(port: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connectTcp(port, "127.0.0.1", () => socket.write(opening));
  let id = 1;
  const send = () => {
    const frames: Buffer[] = [];
    for (const last = id + 2000; id < last; id += 2)
      frames.push(postHeaders(id, unary), cancel(id));
    if (socket.destroyed) return;
    if (socket.write(Buffer.concat(frames))) setImmediate(send);
    else socket.once("drain", send);
  };
  socket.once("connect", send).resume();
  socket.on("error", () => {});
  socket.once("close", resolve);
  return promise;
}

/** Cancels 2,000 calls, most of which the server works on already. */
async function cancelMany(
  client: Pick<ReturnType<typeof createClient<typeof InventoryService>>, "checkStock">,
  begun: () => number,
): Promise<void> {
  for (let wave = 0; wave < 5; wave++) {
    const stop = new AbortController();
    const before = begun();
    const calls = Array.from({ length: 400 }, (_, i) =>
      client
        .checkStock({ productId: `p${i}`, quantity: 1 }, { signal: stop.signal })
        .catch(() => {}),
    );
    await expect.poll(() => begun() - before, patience).toBeGreaterThan(300);
    stop.abort();
    await Promise.all(calls);
  }
}

describe("what one connection holds", () => {
  test("is bounded in answers that it does not take", async () => {
    await using server = await startOrderServer();
    const before = process.memoryUsage().rss;
    const session = connect(server.url, { settings: { initialWindowSize: 0 } });
    session.on("error", () => {});
    let ended = 0;
    for (const path of ["/docs/swagger-ui-bundle.js", "/metrics", "/openapi.json"]) {
      for (let i = 0; i < 600; i++) {
        const stream = session.request({ ":path": path });
        stream.on("error", () => {});
        stream.once("close", () => {
          ended += 1;
        });
      }
    }
    await expect.poll(() => ended, patience).toBeGreaterThan(500);
    expect(process.memoryUsage().rss - before).toBeLessThan(250e6);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    session.destroy();
  });

  test("is bounded in bodies that are not complete", async () => {
    await using server = await startOrderServer();
    // Megabytes that the client itself may hold.
    const session = connect(server.url, { maxSessionMemory: 1000 });
    session.on("error", () => {});
    const calm = postOf(session, unary, "application/json");
    const answer = statusAndText(calm);
    const resets: number[] = [];
    for (let i = 0; i < 200; i++) {
      const stream = postOf(session, unary, "application/json");
      stream.once("close", () => resets.push(stream.rstCode ?? 0));
      stream.write(Buffer.alloc(200_000, 0x20));
    }
    await expect
      .poll(
        () => resets.filter((code) => code === constants.NGHTTP2_ENHANCE_YOUR_CALM).length,
        patience,
      )
      .toBeGreaterThan(50);
    calm.end('{"orderId":"ORD-1"}');
    expect((await answer)[0]).toBe(200);
    session.destroy();
  });

  test("a body that stalls ends with the deadline of its method", async () => {
    await using server = await startOrderServer();
    const session = connect(server.url);
    const stalled = postOf(session, unary, "application/json");
    stalled.write('{"or');
    const [status, text] = await statusAndText(stalled);
    expect([status, text]).toEqual([504, expect.stringContaining("deadline_exceeded")]);
    session.destroy();
  });

  test.each([
    ["application/json", 429],
    ["application/grpc+proto", 200],
    ["text/xml", 415],
  ])("an answer before the end of a %s request ends the request", async (type, expected) => {
    await using server = await startOrderServer();
    const session = connect(server.url);
    const stream = postOf(session, unary, type);
    const answer = statusAndText(stream);
    // As long as the server's window lets it, and never to the end.
    const envelope = Buffer.from([0, 0, 0x40, 0, 0]);
    if (type.includes("grpc")) stream.write(envelope);
    const timer = setInterval(() => stream.writable && stream.write(Buffer.alloc(16_384)), 1);
    const [status] = await answer;
    clearInterval(timer);
    expect(status).toBe(expected);
    const [next] = await statusAndText(session.request({ ":path": "/healthz" }).resume());
    expect(next).toBe(200);
    session.destroy();
  });
});
