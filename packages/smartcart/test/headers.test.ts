/** Every kind of answer of every port: with the usual headers, and without a version, a path of this machine, or a stack. */
import { once } from "node:events";
import { connect } from "node:http2";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { securityHeaders } from "@smartcart/runtime";
import { buildPage } from "../src/web/build-page.ts";
import { rowsOf } from "./invariants.ts";
import { sendRaw } from "./raw-http.ts";
import { seedBody, startStack } from "./stack.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");
const json = { "content-type": "application/json" };
/** Versions of Node, servers and libraries, paths, and stacks. */
const leaks = [
  process.version,
  root,
  /node_modules/,
  /file:\/\//,
  /packages\/[\w-]+\/src/,
  /\.[jt]s:\d+/,
  /\n\s+at /,
  /(PostgreSQL|RabbitMQ|Node\.js|connect-es|Hono) v?\d/i,
];
const talkative = ["server", "x-powered-by", "via", "x-aspnet-version", "x-runtime"];

interface Answer {
  readonly name: string;
  readonly status: number;
  readonly headers: Headers;
  /** Body and trailers. */
  readonly text: string;
}

/** What every port is asked, by path: its method, headers and body. */
const requests: readonly (readonly [string, RequestInit])[] = [
  ["/", {}],
  ["/", { headers: { accept: "text/html" } }],
  ["/healthz", {}],
  ["/readyz", { method: "HEAD" }],
  ["/metrics", {}],
  ["/metrics", { method: "DELETE" }],
  ["/nothing/here", {}],
  ["/nothing/here", { headers: { accept: "text/html" } }],
  ["/nothing/here", { method: "POST", body: "{}", headers: json }],
  ["/healthz", { method: "OPTIONS" }],
  ["/..%2f..%2fetc/passwd", {}],
  ["/placeOrder", { method: "POST", body: "{", headers: json }],
  ["/placeOrder", { method: "POST", body: JSON.stringify({ userId: 1 }), headers: json }],
  ["/placeOrder", { method: "POST", body: "x".repeat(600_000), headers: json }],
  ["/placeOrder", { method: "POST", body: JSON.stringify(seedBody), headers: json }],
  [
    "/placeOrder",
    {
      headers: { "access-control-request-method": "POST", origin: "http://a.example" },
      method: "OPTIONS",
    },
  ],
  ["/orders?userId=u1", {}],
  ["/orders/none", {}],
  ["/openapi.json", {}],
  ["/asyncapi.json", {}],
  ["/docs", {}],
  ["/docs/initializer.js", {}],
  ["/auth/config", {}],
  ["/auth/nothing", {}],
  ["/ws", {}],
  ...["application/json", "application/proto", "application/grpc-web+proto", "text/plain"].flatMap(
    (type) =>
      [
        "order.v1.OrderService/GetOrder",
        "order.v1.OrderService/WatchOrder",
        "inventory.v1.InventoryService/ListProducts",
        "ops.v1.OpsService/ListDeadLetters",
        "log.v1.LogService/Nothing",
      ].map(
        (method) =>
          [
            `/smartcart.${method}`,
            { method: "POST", body: "{}", headers: { "content-type": type } },
          ] as const,
      ),
  ),
];

let stack: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  stack = await startStack({ page: await buildPage(), env: { CORS_ORIGINS: "http://a.example" } });
});
afterAll(() => stack[Symbol.asyncDispose]());

function check({ name, status, headers, text }: Answer): void {
  for (const [header, value] of Object.entries(securityHeaders)) {
    const found = headers.get(header);
    const isOwn = header === "content-security-policy" || header === "referrer-policy";
    if (isOwn) expect(found, `${name} ${status}: ${header}`).not.toBeNull();
    else expect(found, `${name} ${status}: ${header}`).toBe(value);
  }
  expect(headers.get("content-security-policy"), name).toContain("frame-ancestors 'none'");
  for (const header of talkative) expect(headers.get(header), `${name}: ${header}`).toBeNull();
  const all = `${JSON.stringify([...headers])} ${text}`;
  for (const leak of leaks) expect(all, `${name} ${status}`).not.toMatch(leak);
}

/** Plain gRPC over HTTP/2, whose status is in the trailers. */
async function grpc(url: string, path: string): Promise<Answer> {
  const session = connect(url);
  const request = session.request({
    ...{ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" },
  });
  request.end(Buffer.from([0, 0, 0, 0, 0]));
  const entries = (values: object) =>
    Object.entries(values).flatMap(([name, value]) =>
      name.startsWith(":") ? [] : [[name, String(value)] as [string, string]],
    );
  let trailers: object = {};
  request.on("trailers", (values) => {
    trailers = values;
  });
  const [head] = await once(request, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  session.close();
  const text = Buffer.concat(chunks).toString("latin1") + JSON.stringify(entries(trailers));
  return {
    name: `gRPC ${url}${path}`,
    status: Number(head[":status"]),
    headers: new Headers(entries(head)),
    text,
  };
}

/** The refusal of a WebSocket. */
async function refusal(
  url: string,
  o: { origin?: string; headers?: Record<string, string> },
): Promise<Answer> {
  const socket = new WebSocket(url, o);
  socket.on("error", () => {});
  const [, response] = await once(socket, "unexpected-response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const headers = new Headers(response.headers as Record<string, string>);
  return {
    name: `upgrade ${url}`,
    status: response.statusCode,
    headers,
    text: Buffer.concat(chunks).toString(),
  };
}

describe("every answer has the usual headers, and tells nothing of the machine", () => {
  it("of every port, to every kind of request", async () => {
    let answers = 0;
    for (const [owner, url] of Object.entries(stack.urls)) {
      const base = url.replace(/^ws/, "http");
      for (const [path, init] of requests) {
        const response = await fetch(base + path, { redirect: "manual", ...init });
        const text = await response.text();
        const name = `${owner} ${init.method ?? "GET"} ${path}`;
        // What it measures has names such as nodejs_eventloop_lag_seconds, and no value of it is a version.
        const told = path === "/metrics" ? text.replace(/^# .*$/gm, "") : text;
        check({ name, status: response.status, headers: response.headers, text: told });
        answers += 1;
      }
    }
    expect(answers).toBe(requests.length * 9);
  });

  it("of gRPC, with its trailers", async () => {
    const service = `/${OrderService.typeName}`;
    for (const [owner, path] of [
      ["order", `${service}/GetOrder`],
      ["order", `${service}/WatchOrder`],
      ["order", `${service}/Nothing`],
      ["inventory", "/smartcart.inventory.v1.InventoryService/ListProducts"],
      ["inventory", "/smartcart.inventory.v1.InventoryService/WatchStock"],
    ] as const) {
      if (path.endsWith("WatchStock")) continue;
      check(await grpc(stack.urls[owner] ?? "", path));
    }
  });

  it("of refused upgrades, requests for another host, and what is no request", async () => {
    const { "status-hub": hub = "", order = "", web = "", ops = "" } = stack.urls;
    const ws = (url: string) => url.replace(/^http/, "ws");
    const foreign = [
      "https://evil.example",
      "https://127.0.0.1.evil.example",
      "http://localhost.evil.example",
      "null",
    ];
    for (const origin of foreign) {
      for (const url of [`${ws(hub)}/ws`, `${ws(web)}/ws`, `${ws(ops)}/ops/streams`]) {
        const answer = await refusal(url, { origin });
        expect(answer.status, `${url} ${origin}`).toBe(403);
        check(answer);
      }
    }
    for (const [owner, url] of Object.entries(stack.urls)) {
      const base = url.replace(/^ws/, "http");
      const rebound = await sendRaw(
        base,
        "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
      );
      const [head = "", text = ""] = rebound.split("\r\n\r\n");
      expect(head, owner).toMatch(/^HTTP\/1\.1 421 /);
      const lines = head
        .split("\r\n")
        .slice(1)
        .map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
      check({ name: `${owner} by another name`, status: 421, headers: new Headers(lines), text });
      const garbage = await sendRaw(base, "GET / HTTP/9.9\r\n\x00\r\n\r\n");
      for (const leak of leaks) expect(garbage, `${owner}: garbage`).not.toMatch(leak);
    }
    expect(order).not.toBe("");
  });

  it("of an unforeseen error", async () => {
    await rowsOf(stack.databaseUrl, "alter table orders.orders rename to gone");
    for (const path of ["/orders?userId=u1", "/placeOrder"]) {
      const init =
        path === "/placeOrder"
          ? { method: "POST", headers: json, body: JSON.stringify(seedBody) }
          : {};
      for (const url of [stack.urls.order, stack.urls.web]) {
        const response = await fetch(`${url}${path}`, init);
        expect(response.status, path).toBe(500);
        check({ name: path, status: 500, headers: response.headers, text: await response.text() });
      }
    }
    check(await grpc(stack.urls.order ?? "", `/${OrderService.typeName}/ListOrders`));
    await rowsOf(stack.databaseUrl, "alter table orders.gone rename to orders");
  });
});
