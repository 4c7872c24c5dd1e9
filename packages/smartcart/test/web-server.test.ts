/** The page's port on its own, in front of a service that is played by this test. */
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { buildPage } from "../src/web/build-page.ts";
import { startWebServer } from "../src/web/server.ts";
import { sendRaw, statusesOf } from "./raw-http.ts";

const navigation = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
let page: string;
let url: string;
/** What the service got, and what it does about it. */
let received: IncomingMessage[];
let answer: RequestListener;
const running = new AsyncDisposableStack();

async function startUpstream(host = "127.0.0.1") {
  const upstream = createServer((request, response) => {
    received.push(request);
    answer(request, response);
  });
  upstream.on("upgrade", (request, socket: Socket) => {
    received.push(request);
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    );
    socket.pipe(socket);
  });
  upstream.listen(0, host);
  await once(upstream, "listening");
  running.defer(() => void upstream.close().closeAllConnections());
  const { port } = upstream.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function startPage(upstream: string | undefined, options: object = {}) {
  const upstreams = {
    order: upstream,
    inventory: upstream,
    status: upstream,
    log: upstream,
    ops: undefined,
  };
  const base = { port: 0, host: "127.0.0.1", page, upstreams, log: silentLogger };
  return running.use(await startWebServer({ ...base, ...options })).url;
}

beforeAll(async () => {
  page = await buildPage();
  url = await startPage(await startUpstream());
});
beforeEach(() => {
  received = [];
  answer = (request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json").end('{"from":"upstream"}');
  };
});
afterAll(() => running.disposeAsync());

const problemOf = async (response: Response) => {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return (await response.json()) as { status: number; code: string; detail: string };
};

it("takes so many requests from an address, for files and services alike", async () => {
  const limited = await startPage(undefined, { rateLimitPerAddress: 1 });
  expect((await fetch(limited)).status).toBe(200);
  for (const path of ["/favicon.svg", "/orders/ORD-1", "/metrics"]) {
    const refused = await fetch(`${limited}${path}`);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await problemOf(refused)).toMatchObject({ status: 429, code: "RATE_LIMITED" });
  }
  expect((await fetch(`${limited}/healthz`)).status).toBe(200);
});

describe("the files of the page", () => {
  it.each(["bytes=5-2", "bytes=0-4", "bytes=-0", "bytes=99999999-", "bytes=0-1,3-4", "nonsense"])(
    "come whole where a range is asked for: %s",
    async (range) => {
      const response = await fetch(`${url}/favicon.svg`, { headers: { range } });
      expect(response.status).toBe(200);
      expect(response.headers.get("accept-ranges")).toBe("none");
      expect(await response.text()).toMatch(/^<svg .*<\/svg>\s*$/s);
    },
  );

  it("are known again by their tag, each form by its own", async () => {
    const script = /src="\.?(\/assets\/[^"]+)"/.exec(await (await fetch(url)).text())?.[1] ?? "";
    const get = (headers: Record<string, string>, method = "GET") =>
      fetch(url + script, { method, headers });
    const zipped = await get({ "accept-encoding": "gzip" });
    const plain = await get({ "accept-encoding": "identity" });
    const { headers } = await get({ "accept-encoding": "gzip;q=0, br" }, "HEAD");
    expect(zipped.headers.get("content-encoding")).toBe("gzip");
    expect(headers.get("content-encoding")).toBeNull();
    expect(headers.get("content-length")).toBe(`${(await plain.arrayBuffer()).byteLength}`);
    const [tag = "", zippedTag = ""] = [plain, zipped].map(
      ({ headers }) => headers.get("etag") ?? "",
    );
    expect(tag).not.toBe(zippedTag);
    expect(headers.get("cache-control")).toContain("immutable");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    const identity = { "accept-encoding": "identity" };
    for (const known of [tag, `"x", W/${tag}`, "*"]) {
      expect((await get({ ...identity, "if-none-match": known })).status, known).toBe(304);
    }
    expect((await get({ ...identity, "if-none-match": zippedTag })).status).toBe(200);
    expect((await get({ ...identity, "if-match": zippedTag })).status).toBe(412);
    expect((await get({ ...identity, "if-match": tag })).status).toBe(200);
  });

  it("may call the OpenID provider of the page, where it has one, and no other origin", async () => {
    const policyAt = async (url: string) =>
      (await fetch(url)).headers.get("content-security-policy") ?? "";
    expect(await policyAt(url)).not.toContain("connect-src");
    const signIn = {
      method: "oidc",
      isOpen: false,
      oidc: { issuer: "https://issuer.example/shop" },
    };
    const closed = await startPage(undefined, { signIn: { signIn } });
    expect(await policyAt(closed)).toContain("connect-src 'self' https://issuer.example; ");
  });

  it("leave no descriptor behind when downloads are given up", async () => {
    const files = async () => (await readdir("/proc/self/fd")).length;
    const before = await files();
    const requests = "GET /favicon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(40);
    await Promise.all(Array.from({ length: 20 }, () => sendRaw(url, requests, { patienceMs: 50 })));
    await expect.poll(files).toBeLessThanOrEqual(before + 2);
  });
});

describe("a connection with many requests at once", () => {
  const pipelined =
    "GET /orders/ORD-1 HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n";

  it("takes one connection to a service, and gets every answer", async () => {
    const connections = new Set<Socket>();
    answer = (request, response) => {
      connections.add(request.socket);
      response.end("{}");
    };
    const answers = await sendRaw(url, pipelined.repeat(300), { halfClose: true });
    expect(statusesOf(answers)).toEqual(Array(300).fill(200));
    expect(connections.size).toBe(1);
  });
});

describe("who answers", () => {
  it.each(["/", "/checkout", "/ops", "/orders", "/orders/ORD-1"])("%s is a page", async (path) => {
    const response = await fetch(url + path, { headers: navigation });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("<html");
    expect(received).toEqual([]);
  });

  it("a page that there is not is 404, in words for a person and for a program", async () => {
    const seen = await fetch(`${url}/nowhere`, { headers: navigation });
    expect(seen.status).toBe(404);
    expect(await seen.text()).toContain("<html");
    expect(await problemOf(await fetch(`${url}/nowhere`))).toMatchObject({ status: 404 });
  });

  it.each([
    ["POST", "/placeorder", 404],
    ["POST", "/nowhere", 404],
    ["DELETE", "/nowhere", 404],
    ["POST", "/", 405],
    ["DELETE", "/checkout", 405],
    ["PUT", "/favicon.svg", 405],
    ["POST", "/healthz", 405],
    ["PATCH", "/metrics", 405],
  ])("%s %s is no success: %i", async (method, path, status) => {
    const response = await fetch(url + path, { method, headers: navigation });
    expect(response.status).toBe(status);
    if (status === 405) expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await problemOf(response)).toMatchObject({ status });
  });

  it("a service that is off is said to be off, and one that cannot be reached to be away", async () => {
    const path = "/smartcart.ops.v1.OpsService/ListDeadLetters";
    const off = await fetch(url + path, { method: "POST", body: "{}" });
    expect(await problemOf(off)).toMatchObject({ status: 404, code: "SERVICE_OFF" });
    const alone = await startPage("http://127.0.0.1:1");
    const away = await fetch(`${alone}/orders?userId=u1`);
    expect(away.headers.get("retry-after")).toBe("1");
    expect(await problemOf(away)).toMatchObject({ status: 503, code: "UPSTREAM_UNAVAILABLE" });
    const socket = await sendRaw(alone, webSocketTo("/ws"));
    expect(statusesOf(socket)).toEqual([503]);
    const none = await startPage(undefined);
    expect((await fetch(`${none}/orders?userId=u1`)).status).toBe(404);
    expect(statusesOf(await sendRaw(none, webSocketTo("/ws")))).toEqual([404]);
  });

  it("only names of this machine are answered to, and those that are allowed", async () => {
    const named = await startPage(undefined, { allowedHosts: ["shop.example"] });
    const get = (to: string, host: string) =>
      sendRaw(to, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const host of ["localhost", "127.0.0.1:5173", "[::1]:5173", "shop.localhost"]) {
      expect(statusesOf(await get(url, host)), host).toEqual([200]);
    }
    for (const host of ["evil.example", "localhost.evil.example", "a b", "@localhost"]) {
      expect(statusesOf(await get(url, host)), host).toEqual([421]);
    }
    expect(statusesOf(await get(named, "SHOP.example:80"))).toEqual([200]);
    const upgrade = webSocketTo("/ws").replace("localhost", "evil.example");
    expect(statusesOf(await sendRaw(url, upgrade))).toEqual([421]);
    expect(received).toEqual([]);
  });
});

function webSocketTo(path: string, more = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;
}

describe("the proxy", () => {
  it("tells the service who asked, and by which name", async () => {
    await sendRaw(
      url,
      "GET /orders?userId=u1 HTTP/1.1\r\nHost: localhost:5173\r\nCookie: a=1\r\nX-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: https\r\nConnection: close, x-own\r\nX-Own: 1\r\nX-Two: a\r\nX-Two: b\r\n\r\n",
    );
    const { headers, headersDistinct, url: path } = received[0] as IncomingMessage;
    expect(path).toBe("/orders?userId=u1");
    expect(headers).toMatchObject({
      "x-forwarded-for": "10.0.0.7, 127.0.0.1",
      "x-forwarded-host": "localhost:5173",
      // This machine's proxies are believed.
      "x-forwarded-proto": "https",
    });
    expect(headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(headers.cookie).toBeUndefined();
    expect(headers["x-own"]).toBeUndefined();
    expect(headersDistinct["x-two"]).toEqual(["a", "b"]);
  });

  it("believes no stranger's word on protocol and host", async () => {
    const wary = await startPage(await startUpstream(), { trustedProxies: { has: () => false } });
    await fetch(`${wary}/orders`, {
      headers: { "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" },
    });
    expect(received[0]?.headers["x-forwarded-proto"]).toBe("http");
    expect(received[0]?.headers["x-forwarded-host"]).toBe(new URL(wary).host);
  });

  it("reaches services on IPv6, and listens there", async () => {
    const there = await startPage(await startUpstream("::1"), { host: "::1" });
    expect(there).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect(await (await fetch(`${there}/orders`)).json()).toEqual({ from: "upstream" });
    const upgraded = await sendRaw(there, webSocketTo("/ws"), { patienceMs: 200 });
    expect(statusesOf(upgraded)).toEqual([101]);
  });

  it("answers a client that closes its side after the request", async () => {
    const body = '{"userId":"u1"}';
    answer = (request, response) =>
      void request.resume().on("end", () => setTimeout(() => response.end("late"), 200));
    const post = `POST /placeOrder HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect(await sendRaw(url, post, { halfClose: true })).toMatch(/^HTTP\/1\.1 200 .*late$/s);
    const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    expect(statusesOf(await sendRaw(url, get.repeat(3), { halfClose: true }))).toEqual([
      200, 200, 200,
    ]);
  });

  it("ends a stream whose client has closed its side, and tells the service", async () => {
    const ended = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.setHeader("content-type", "application/connect+json").write("first");
      response.once("close", () => ended.resolve());
    };
    const post =
      "POST /smartcart.inventory.v1.InventoryService/WatchStock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    await sendRaw(url, post, { halfClose: true });
    await ended.promise;
  });

  it.each(["h2c", "h3, websocket", "TLS/1.0"])(
    "ignores a wish for an upgrade to %s",
    async (wish) => {
      const headers = `Host: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: ${wish}\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`;
      for (const path of ["/", "/ws", "/orders", "/healthz"]) {
        expect(statusesOf(await sendRaw(url, `GET ${path} HTTP/1.1\r\n${headers}`)), path).toEqual([
          200,
        ]);
      }
      expect(received.every(({ headers }) => headers.upgrade === undefined)).toBe(true);
      const elsewhere = webSocketTo("/orders").replace("Upgrade\r\n", "Upgrade, close\r\n");
      expect(statusesOf(await sendRaw(url, elsewhere))).toEqual([200]);
    },
  );

  it("joins a WebSocket with the service's, what came with the handshake included", async () => {
    const echoed = await sendRaw(url, `${webSocketTo("/ws")}hello`, { halfClose: true });
    expect(echoed).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\nhello$/s);
  });

  it("hands on a refusal that comes before the request's end, and keeps the connection in step", async () => {
    answer = (_request, response) => response.writeHead(415).end("no");
    const size = 200_000;
    const post = `POST /placeOrder HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`;
    const next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    expect(statusesOf(await sendRaw(url, post + next))).toEqual([415, 200]);
  });

  it.each(["with its length", "in chunks"])("refuses a body that is too long, %s", async (how) => {
    const size = 300_000;
    const framed =
      how === "in chunks"
        ? `Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${" ".repeat(size)}\r\n0\r\n\r\n`
        : `Content-Length: ${size}\r\n\r\n${" ".repeat(size)}`;
    const next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const sent = `POST /placeOrder HTTP/1.1\r\nHost: localhost\r\n${framed}${next}`;
    const answered = await sendRaw(url, sent);
    expect(statusesOf(answered)).toEqual([413, 200]);
    expect(answered).toContain('"code":"BODY_TOO_LARGE"');
  });

  it("takes the cookies of a whole host, and refuses other headers of that size in words", async () => {
    const get = (headers: string) =>
      sendRaw(
        url,
        `GET /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n\r\n`,
      );
    expect(statusesOf(await get(`Cookie: ${"a".repeat(20_000)}`))).toEqual([200]);
    for (const size of [20_000, 100_000]) {
      const refused = await get(`X-Large: ${"a".repeat(size)}`);
      expect(statusesOf(refused)).toEqual([431]);
      expect(refused).toContain('"code":"HEADERS_TOO_LARGE"');
    }
  });

  it("cuts the client off where the service breaks off its answer", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { "content-length": 100 }).write("half");
      setTimeout(() => response.destroy(), 50);
    };
    await expect(fetch(`${url}/orders`).then((response) => response.text())).rejects.toThrow();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe("what is no request", () => {
  it.each([
    ["GET / HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n", 400],
    ["GET / HTTP/1.0\r\n\r\n", 200],
    ["GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200],
    ["GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421],
    ["GET // HTTP/1.1\r\nHost: localhost\r\n\r\n", 404],
    ["GET ////x HTTP/1.1\r\nHost: localhost\r\n\r\n", 404],
    ["GET /#x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 404],
    ["OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404],
    ["HELLO\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400],
  ])("%j is answered with %i", async (bytes, status) => {
    const answered = await sendRaw(url, bytes, { halfClose: true });
    expect(statusesOf(answered)).toEqual([status]);
    if (status >= 400) expect(answered).toContain("application/problem+json");
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});
