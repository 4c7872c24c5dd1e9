/** What one connection of HTTP/1.1 can do to the server, and to the next request on it. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { RunningServer } from "../src/index.ts";
import { exchange, request, statusOf } from "./raw-client.ts";
import { startOrderServer, startTestServer } from "./rig.ts";

const unary = `/${OrderService.typeName}/GetOrder`;
const stream = `/${OrderService.typeName}/WatchOrder`;

let server: RunningServer;
beforeAll(async () => {
  server = await startOrderServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Bytes of a body that is never complete. */
function chunked(bytes: number): string {
  const chunk = `8000\r\n${" ".repeat(0x8000)}\r\n`;
  return chunk.repeat(bytes / 0x8000);
}

/** An envelope of Connect that announces 4 MiB. */
const tooLong = "\x00\x00\x40\x00\x00";
const cases: readonly (readonly [string, string, readonly string[], string])[] = [
  ["oversized unary", unary, ["Content-Type: application/json"], ""],
  ["oversized stream", stream, ["Content-Type: application/connect+json"], tooLong],
  ["oversized gRPC-Web", unary, ["Content-Type: application/grpc-web+proto"], tooLong],
  ["oversized REST", "/placeOrder", ["Content-Type: application/json"], ""],
  ["wrong type", unary, ["Content-Type: text/xml"], ""],
  ["unknown path", "/nothing", [], ""],
];

describe("an answer before the end of the request is the last one on its connection", () => {
  test.each(cases)("%s", async (_, path, headers, start) => {
    const head = request(`POST ${path}`, [...headers, "Transfer-Encoding: chunked"]);
    const first = start === "" ? "" : `${start.length.toString(16)}\r\n${start}\r\n`;
    const answer = await exchange(server.port, head + first + chunked(1024 * 1024));
    expect([statusOf(answer) > 0, answer.closed, answer.error]).toEqual([true, true, undefined]);
    expect(answer.text).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer.text.split("HTTP/1.1 ")).toHaveLength(2);
  });

  test("and one after it is not: the connection is kept", async () => {
    const body = '{"orderId":"ORD-1"}';
    const headers = ["Content-Type: application/json", `Content-Length: ${body.length}`];
    const one = request(`POST ${unary}`, headers, body);
    const answer = await exchange(server.port, one, {
      followUp: one,
      until: (text) => text.split("HTTP/1.1 200").length === 3,
    });
    expect(answer.text).not.toMatch(/connection: close/i);
    expect(answer.text.split("HTTP/1.1 200")).toHaveLength(3);
  });
});

test("a body that stalls ends with the deadline of its method, not with that of the port", async () => {
  const headers = ["Content-Type: application/json", "Content-Length: 20"];
  const startedAt = performance.now();
  const answer = await exchange(server.port, request(`POST ${unary}`, headers, '{"or'));
  expect(performance.now() - startedAt).toBeLessThan(4900);
  expect(statusOf(answer)).toBe(504);
  expect(answer.text).toContain("deadline_exceeded");
});

test.each(["HTTP/0.9", "HTTP/2.0", "HTTP/9.9"])(
  "a request line of %s is refused",
  async (version) => {
    const head = request("GET /healthz").replace("HTTP/1.1", version);
    const answer = await exchange(server.port, head);
    // What Node's own parser does not take is malformed.
    expect([400, 505]).toContain(statusOf(answer));
    expect(answer.closed).toBe(true);
  },
);

describe("pipelining", () => {
  test("is answered in order, to the last of 3,000", async () => {
    const count = 3000;
    const paths = Array.from({ length: count }, (_, i) => request(`GET /orders/ORD-${i}`));
    const answer = await exchange(server.port, paths.join(""), {
      waitMs: 25_000,
      until: (text) => text.includes(`"ORD-${count - 1}"`),
    });
    const ids = [...answer.text.matchAll(/"orderId":"ORD-(\d+)"/g)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  test("of what is not read costs no memory", async () => {
    const before = process.memoryUsage().rss;
    const get = request("GET /docs/swagger-ui-bundle.js").repeat(3500);
    const sockets = Array.from({ length: 4 }, () => {
      const socket = connect(server.port, "127.0.0.1", () => socket.write(get));
      socket.pause().on("error", () => {});
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const grown = process.memoryUsage().rss - before;
    for (const socket of sockets) socket.destroy();
    expect(grown).toBeLessThan(150e6);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });
});

test("a stream ends for a client that has closed its side and says nothing more", async () => {
  const ended = Promise.withResolvers<void>();
  await using quiet = await startTestServer({
    services: [OrderService],
    routes: (router) =>
      router.service(OrderService, {
        async *watchOrder(_, { signal }) {
          signal.addEventListener("abort", () => ended.resolve());
          yield { event: { sequence: 1, status: "Order Received" } };
          await new Promise(() => {});
        },
      }),
  });
  const message = '{"orderId":"ORD-1"}';
  const body = `\x00\x00\x00\x00${String.fromCharCode(message.length)}${message}`;
  const headers = ["Content-Type: application/connect+json", `Content-Length: ${body.length}`];
  const answer = await exchange(quiet.port, request(`POST ${stream}`, headers, body), {
    halfClose: true,
    until: (text) => text.includes("Order Received"),
  });
  expect(statusOf(answer)).toBe(200);
  await ended.promise;
});
