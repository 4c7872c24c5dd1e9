/** What RFC 9110, 9112 and 9113 ask of every server, on REST and on RPC. */
import { connect as connectHttp2 } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { RunningServer } from "../src/index.ts";
import type { RawAnswer } from "./raw-client.ts";
import { exchange, request, statusOf } from "./raw-client.ts";
import { startOrderServer, startTestServer } from "./rig.ts";

const rpcPath = `/${OrderService.typeName}/GetOrder`;
const call = '{"orderId":"ORD-1"}';
const json = ["Content-Type: application/json", `Content-Length: ${call.length}`];
const rest = "/orders/ORD-1";

let server: RunningServer;
let upgrading: RunningServer;
beforeAll(async () => {
  server = await startOrderServer();
  upgrading = await startTestServer({
    onUpgrade: (_, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\nupgraded"),
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await upgrading[Symbol.asyncDispose]();
});

/** Every kind of answer of the server: a REST route, an operation, a method. */
const requests: readonly (readonly [string, string, readonly string[], string])[] = [
  ["REST", `GET ${rest}`, [], ""],
  ["health", "GET /healthz", [], ""],
  ["RPC", `POST ${rpcPath}`, json, call],
];

const isWhole = (text: string) => /\r\n\r\n.*\}$/s.test(text);

describe.each(requests)("%s", (_, line, headers, body) => {
  const [verb, path] = line.split(" ") as [string, string];

  test("a client that closes its side after the request gets its answer", async () => {
    const answer = await exchange(server.port, request(line, headers, body), { halfClose: true });
    expect([statusOf(answer), answer.closed, answer.error]).toEqual([200, true, undefined]);
  });

  test.each(["h2c", "TLS/1.2", "websocket, h2c", "nonsense"])(
    "an upgrade to %s, which no handler takes, is ignored",
    async (protocol) => {
      const upgrade = [
        "Connection: Upgrade, HTTP2-Settings",
        `Upgrade: ${protocol}`,
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        ...headers,
      ];
      const answer = await exchange(server.port, request(line, upgrade, body), {
        followUp: request(line, headers, body),
        until: (text) => text.split("HTTP/1.1 200").length === 3 && isWhole(text),
      });
      expect(answer.text.split("HTTP/1.1 200")).toHaveLength(3);
    },
  );

  test("HTTP/1.0, with and without Host", async () => {
    for (const host of ["", "Host: localhost\r\n"]) {
      const head = `${line} HTTP/1.0\r\n${host}${headers.map((h) => `${h}\r\n`).join("")}\r\n`;
      expect(statusOf(await exchange(server.port, head + body))).toBe(200);
    }
  });

  test("a target in absolute-form, whose authority replaces Host", async () => {
    const target = (authority: string) => `${verb} http://${authority}${path}`;
    const send = (authority: string, host: string) =>
      exchange(server.port, request(target(authority), [...headers, `Host: ${host}`], body), {
        until: isWhole,
      });
    expect(statusOf(await send("localhost:1", "evil.example"))).toBe(200);
    const refused = statusOf(await send("evil.example", "localhost"));
    expect(refused).toBe(path === "/healthz" ? 200 : 421);
    expect(statusOf(await send("user@localhost", "localhost"))).toBe(400);
  });

  test("two Host headers, none and a malformed one are 400", async () => {
    const send = (...hosts: string[]) =>
      exchange(
        server.port,
        `${line} HTTP/1.1\r\n${[...hosts, ...headers].map((h) => `${h}\r\n`).join("")}\r\n${body}`,
        { until: isWhole },
      );
    expect(statusOf(await send("Host: localhost", "host: localhost"))).toBe(400);
    expect(statusOf(await send("Host: localhost", "X: y", "HOST: other"))).toBe(400);
    expect(statusOf(await send())).toBe(400);
    for (const host of ["a b", "a/b", "a@b", "[::1", "localhost:99999", "\x80"]) {
      expect([host, statusOf(await send(`Host: ${host}`))]).toEqual([host, 400]);
    }
  });
});

describe("a request that names another host", () => {
  const foreign = { host: "evil.example" };
  const problemOf = ({ text }: RawAnswer) => JSON.parse(text.slice(text.indexOf("\r\n\r\n")));

  test.each(requests.filter(([name]) => name !== "health"))(
    "is refused on HTTP/1.1: %s",
    async (_, line, headers, body) => {
      const all = [...headers, `Host: ${foreign.host}`];
      const answer = await exchange(server.port, request(line, all, body), { until: isWhole });
      expect(statusOf(answer)).toBe(421);
      expect(answer.text).toContain("application/problem+json");
      expect(problemOf(answer)).toMatchObject({ code: "HOST_NOT_ALLOWED" });
      expect(problemOf(answer).detail).toContain("ALLOWED_HOSTS");
    },
  );

  test("is refused on HTTP/2, by :authority and by Host", async () => {
    const get = (headers: Record<string, string>) => http2Status(server.url, headers);
    expect(await get({ ":path": rest })).toBe(200);
    expect(await get({ ":path": rest, ":authority": foreign.host })).toBe(421);
    expect(await get({ ":path": rest, host: foreign.host })).toBe(421);
    expect(await get({ ":path": rest, ":authority": "localhost", host: "other" })).toBe(400);
    const method = { ":method": "POST", ":path": rpcPath, "content-type": "application/json" };
    expect(await get({ ...method, ":authority": foreign.host })).toBe(421);
  });

  test("gets no WebSocket", async () => {
    const upgrade = (host: string) =>
      exchange(
        upgrading.port,
        request("GET /ws", ["Connection: Upgrade", "Upgrade: websocket", `Host: ${host}`]),
      );
    expect((await upgrade("localhost")).text).toContain("upgraded");
    const refused = await upgrade(foreign.host);
    expect(statusOf(refused)).toBe(421);
    expect(problemOf(refused)).toMatchObject({ code: "HOST_NOT_ALLOWED" });
  });

  test("is answered where the name is allowed, and the probes of a balancer always", async () => {
    await using shop = await startOrderServer({ allowedHosts: ["Shop.Example"] });
    const status = async (line: string, host: string) =>
      statusOf(await exchange(shop.port, request(line, [`Host: ${host}`]), { until: isWhole }));
    expect(await status(`GET ${rest}`, "shop.example:443")).toBe(200);
    expect(await status(`GET ${rest}`, "other.example")).toBe(421);
    expect(await status("GET /readyz", "10.1.2.3:8080")).toBe(200);
    expect(await status("GET /healthz", "10.1.2.3:8080")).toBe(200);
  });
});

test.each(["/placeOrder", `/${OrderService.typeName}/PlaceOrder`])(
  "a client that closes its side while %s is worked on gets its answer",
  async (path) => {
    await using slow = await startOrderServer({
      routes: (router) =>
        router.service(OrderService, {
          async placeOrder(_, { signal }) {
            await new Promise((resolve) => setTimeout(resolve, 300));
            signal.throwIfAborted();
            return { order: { orderId: "ORD-1" } };
          },
        }),
    });
    const order = {
      userId: "u1",
      address: "1 Main St",
      items: [{ productId: "mug", quantity: 1 }],
    };
    const body = JSON.stringify(order);
    const headers = ["Content-Type: application/json", `Content-Length: ${body.length}`];
    const answer = await exchange(slow.port, request(`POST ${path}`, headers, body), {
      halfClose: true,
    });
    const status = path === "/placeOrder" ? 201 : 200;
    expect([statusOf(answer), answer.closed, answer.error]).toEqual([status, true, undefined]);
    expect(answer.text).toContain("ORD-1");
  },
);

test("where there are WebSockets, an upgrade to anything else is ignored", async () => {
  const answer = await exchange(
    upgrading.port,
    request("GET /healthz", ["Connection: Upgrade", "Upgrade: h2c"]),
    { until: isWhole },
  );
  expect(statusOf(answer)).toBe(200);
});

describe("a request that is none of a route or method", () => {
  test.each([
    ["GET", "/placeOrder", "POST"],
    ["DELETE", rest, "GET"],
    ["POST", "/healthz", "GET"],
    ["PUT", "/metrics", "GET"],
    ["GET", `/${OrderService.typeName}/PlaceOrder`, "POST"],
    ["DELETE", rpcPath, "POST, GET"],
  ])("%s %s is 405 and says what is allowed", async (method, path, allow) => {
    const res = await fetch(server.url + path, { method });
    expect([res.status, res.headers.get("allow")]).toEqual([405, allow]);
    expect(await res.json()).toMatchObject({ code: "METHOD_NOT_ALLOWED" });
  });

  test.each([
    ["/placeOrder", "application/json"],
    [rpcPath, "application/proto, application/json, application/grpc"],
    [`/${OrderService.typeName}/WatchOrder`, "application/connect+proto"],
  ])("POST of XML to %s is 415 and says what is accepted", async (path, accepted) => {
    const headers = { "content-type": "text/xml" };
    const res = await fetch(server.url + path, { method: "POST", headers, body: "<order/>" });
    expect(res.status).toBe(415);
    expect(res.headers.get("accept-post")).toContain(accepted);
    expect(await res.json()).toMatchObject({ code: "UNSUPPORTED_MEDIA_TYPE" });
  });
});

/** The status that HTTP/2 gets for a GET with these headers. */
async function http2Status(url: string, headers: Record<string, string>): Promise<number> {
  const session = connectHttp2(url);
  try {
    const stream = session.request({ ":method": "GET", ...headers });
    const status = await new Promise<number>((resolve, reject) => {
      stream.once("response", (answer) => resolve(Number(answer[":status"])));
      stream.once("error", reject);
    });
    stream.resume();
    return status;
  } finally {
    session.destroy();
  }
}
