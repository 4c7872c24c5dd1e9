import { once } from "node:events";
import { get } from "node:http";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import type { ReceivedFrame } from "./support.ts";
import { connect, createWorld, follow, newOrderId, patience } from "./support.ts";

/** The HTTP status with which an upgrade is refused, and the code of its problem. */
async function refused(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  socket.on("error", () => {});
  const [, response] = await once(socket, "unexpected-response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const problem = JSON.parse(Buffer.concat(chunks).toString());
  return {
    status: response.statusCode,
    code: problem.code,
    type: response.headers["content-type"],
    retryAfter: response.headers["retry-after"],
  };
}

test("a frame that is not understood is answered, and the connection stays open", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  using client = await connect(hub);
  client.socket.send("hello");
  client.socket.send(Buffer.from('{"subscribe":{"orderId":"a"}}'), { binary: true });
  client.send({ subscribe: { orderId: "" } });
  client.send({ subscribe: { order: "x" } });
  await expect.poll(() => client.frames, patience).toHaveLength(4);
  expect(client.frames.map(({ error }) => error?.code)).toEqual(Array(4).fill("INVALID_FRAME"));
  expect(client.frames.map(({ error }) => error?.field ?? "")).toEqual([
    "",
    "",
    "subscribe.orderId",
    "subscribe.order",
  ]);
  const orderId = newOrderId();
  await world.advance(orderId);
  client.send({ subscribe: { orderId } });
  await expect.poll(() => client.statuses(orderId), patience).toHaveLength(1);
});

test("a page of another site may not connect, and no client may at another path than /ws", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  expect(await refused(`${hub.url}/ws`, { origin: "http://evil.example" })).toMatchObject({
    status: 403,
    code: "ORIGIN_NOT_ALLOWED",
    type: "application/problem+json",
  });
  expect(await refused(`${hub.url}/other`)).toMatchObject({ status: 404 });
  using _page = await connect(hub, { origin: "http://localhost:5173" });
  await using strict = await world.startHub({ STATUS_ALLOWED_ORIGINS: "https://shop.example" });
  using _listed = await connect(strict, { origin: "https://shop.example" });
  expect(await refused(`${strict.url}/ws`, { origin: "http://localhost:5173" })).toMatchObject({
    status: 403,
  });
});

test("an upgrade to anything but a WebSocket is ignored, and one by another name refused", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "" };
  const [response] = await once(get(`${hub.url}/healthz`, { headers }), "response");
  expect(response.resume().statusCode).toBe(200);
  expect(await refused(`${hub.url}/ws`, { host: "evil.example" })).toMatchObject({
    status: 421,
    code: "HOST_NOT_ALLOWED",
    type: "application/problem+json",
  });
});

test("connections are bounded, of one address and of all, and places become free again", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({ STATUS_MAX_CONNECTIONS_PER_ADDRESS: "2" });
  using first = await connect(hub);
  using _second = await connect(hub);
  expect(await refused(`${hub.url}/ws`)).toMatchObject({ status: 429, retryAfter: "5" });
  first.socket.close();
  await expect
    .poll(async () => {
      using third = await connect(hub);
      return third.socket.readyState;
    }, patience)
    .toBe(WebSocket.OPEN);
  await using small = await world.startHub({ STATUS_MAX_CONNECTIONS: "1" });
  using _only = await connect(small);
  expect(await refused(`${small.url}/ws`)).toMatchObject({ status: 503, code: "HUB_FULL" });
});

test("subscriptions of one connection are bounded", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({
    STATUS_MAX_SUBSCRIPTIONS: "2",
  });
  using client = await follow(hub, { userId: "u1" });
  const [first, second] = [newOrderId(), newOrderId()];
  for (const orderId of [first, second]) await world.advance(orderId, "u2");
  client.send({ subscribe: { orderId: first } });
  client.send({ subscribe: { orderId: second } });
  const refusal = () => client.frames.find(({ error }) => error)?.error?.code;
  await expect.poll(refusal, patience).toBe("TOO_MANY_SUBSCRIPTIONS");
  // One that it has may be renewed; one that is given up makes room.
  client.send({ unsubscribe: { orderId: first } });
  client.send({ subscribe: { orderId: second } });
  await expect.poll(() => client.statuses(second), patience).toHaveLength(1);
});

test("frames and upgrades count as requests of their address", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({ RATE_LIMIT_PER_ADDRESS: "2" });
  const headers = { "x-forwarded-for": "198.51.100.7" };
  using client = await follow(hub, { userId: "u1" }, { headers });
  client.send({ subscribe: { userId: "u2" } });
  await expect
    .poll(() => client.frames.find(({ error }) => error)?.error, patience)
    .toMatchObject({ code: "RATE_LIMITED", retryAfterMs: expect.any(Number) });
  expect(await refused(`${hub.url}/ws`, headers)).toMatchObject({
    status: 429,
    code: "RATE_LIMITED",
  });
  using _other = await connect(hub);
});

test("a client that follows a user by a hundred connections does not lock the user out", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({ STATUS_MAX_CONNECTIONS_PER_USER: "3" });
  const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
  const replaced = (client: { frames: readonly ReceivedFrame[] }) => client.frames[0]?.error?.code;
  using own = await follow(hub, { userId: "u1" }, from("192.0.2.1"));
  using stack = new DisposableStack();
  const crowd = [];
  for (let i = 0; i < 6; i++) {
    crowd.push(stack.use(await follow(hub, { userId: "u1" }, from("198.51.100.7"))));
  }
  using late = await follow(hub, { userId: "u1" }, from("203.0.113.9"));
  // The crowd's own connections made way for one another, and for the one that came late.
  for (const client of crowd.slice(0, 5)) {
    await expect.poll(() => replaced(client), patience).toBe("TOO_MANY_SUBSCRIPTIONS");
  }
  const orderId = newOrderId();
  await world.advance(orderId, "u1");
  for (const client of [own, late, ...crowd.slice(5)]) {
    await expect.poll(() => client.statuses(orderId), patience).toHaveLength(1);
  }
  expect(crowd[0]?.statuses(orderId)).toEqual([]);
});

test("a frame that is too long, and too many frames, end the connection", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({ STATUS_MAX_SUBSCRIPTIONS: "1" });
  using long = await connect(hub);
  long.socket.send("x".repeat(5000));
  expect(await long.closed).toMatchObject({ code: 1009 });
  using flood = await connect(hub);
  for (let i = 0; i < 100; i++) flood.socket.send("{}");
  expect(await flood.closed).toEqual({ code: 1008, reason: "too many frames" });
});

test("a client that does not read is closed, and resumes where it was", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({ STATUS_MAX_BUFFERED_BYTES: "65536" });
  const orderId = newOrderId();
  await world.advance(orderId);
  using slow = await follow(hub, { orderId });
  using quick = await follow(hub, { orderId });
  await expect.poll(() => slow.statuses(orderId), patience).toHaveLength(1);
  slow.socket.pause();
  // Large frames fill what the systems on both ends keep for a connection. No event is as large, so they are read from the
  // history, where the event after them shows a gap.
  const text = "x".repeat(100_000);
  for (let i = 1; i <= 120; i++) {
    world.orders.commit(orderId, "u1", text);
    await world.advance(orderId);
    const told = () => quick.statuses(orderId).length;
    await expect.poll(told, { ...patience, interval: 5 }).toBe(1 + 2 * i);
  }
  slow.socket.resume();
  // 1013 where the farewell still arrived, 1006 where the hub had to cut the connection.
  expect([1013, 1006]).toContain((await slow.closed).code);
  const had = slow.statuses(orderId).length;
  expect(had).toBeLessThan(241);
  // At another hub, whose bound is above what is still to come.
  await using other = await world.startHub({ STATUS_MAX_BUFFERED_BYTES: "20000000" });
  using again = await follow(other, { orderId, afterSequence: had });
  await expect.poll(() => again.statuses(orderId), patience).toHaveLength(241 - had);
  expect(again.frames[0]?.sequence).toBe(had + 1);
});

test("a client that answers no ping is dropped, one that does stays", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({ STATUS_HEARTBEAT_MS: "150" });
  using dead = await connect(hub, { autoPong: false });
  using alive = await connect(hub);
  let pings = 0;
  alive.socket.on("ping", () => pings++);
  expect(await dead.closed).toMatchObject({ code: 1006 });
  await expect.poll(() => pings, patience).toBeGreaterThan(3);
  expect(alive.socket.readyState).toBe(WebSocket.OPEN);
});

test("a hub that goes away says so to its clients, and another one takes over", async () => {
  await using world = await createWorld();
  const hub = await world.startHub();
  const orderId = newOrderId();
  await world.advance(orderId, "u1", 2);
  using client = await follow(hub, { orderId });
  using silent = await connect(hub);
  silent.socket.pause();
  await expect.poll(() => client.statuses(orderId), patience).toHaveLength(2);
  await hub[Symbol.asyncDispose]();
  expect((await client.closed).code).toBe(1001);
  await using next = await world.startHub();
  await world.advance(orderId);
  using again = await follow(next, { orderId, afterSequence: 2 });
  await expect.poll(() => again.frames, patience).toMatchObject([{ orderId, sequence: 3 }]);
});

test("it is ready, and counts who is there", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const orderId = newOrderId();
  using client = await follow(hub, { orderId });
  await world.advance(orderId);
  await expect.poll(() => client.statuses(orderId), patience).toHaveLength(1);
  expect((await fetch(`${hub.url}/readyz`)).status).toBe(200);
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  expect(metrics).toContain('smartcart_status_connections{service="status-hub"} 1');
  expect(metrics).toContain('smartcart_status_topics{kind="order",service="status-hub"} 1');
});
