/** Clients that leave in the middle, and clients that never leave: neither costs the hub anything for long. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as connectTcp } from "node:net";
import { expect, test } from "vitest";
import { connect, createWorld, follow, newOrderId, patience } from "./support.ts";

const upgrade = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\n\r\n`;

async function open(hub: { readonly port: number }): Promise<Socket> {
  // Both sides are closed apart, as by a client that does not know that the other side has ended.
  const socket = connectTcp({ port: hub.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

async function gauge(hub: { readonly url: string }, name: string): Promise<number[]> {
  const text = await (await fetch(`${hub.url}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)$`, "gm"))].map(([, n]) => Number(n));
}

const isEmpty = async (hub: { readonly url: string }) => ({
  connections: await gauge(hub, "smartcart_status_connections"),
  topics: await gauge(hub, "smartcart_status_topics"),
});

test("four hundred upgrades that are reset half way leave nothing behind", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const orderId = newOrderId();
  await world.advance(orderId);
  using honest = await follow(hub, { orderId });
  for (let round = 0; round < 400; round++) {
    const socket = await open(hub);
    const text = upgrade("/ws");
    // A part of the head, all of it, or all of it and a part of a frame.
    socket.write(round % 3 === 0 ? text.slice(0, round % text.length) : text);
    if (round % 3 === 2) socket.write(Buffer.from([0x81, 0xfe]));
    socket.resetAndDestroy();
  }
  const left = { connections: [1], topics: [1, 0] };
  await expect.poll(() => isEmpty(hub), patience).toEqual(left);
  await world.advance(orderId);
  await expect.poll(() => honest.statuses(orderId), patience).toHaveLength(2);
});

test("five hundred clients that are cut off while they are told leave nothing behind", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const orderId = newOrderId();
  await world.advance(orderId, "u1", 3);
  for (let round = 0; round < 10; round++) {
    const clients = await Promise.all(
      Array.from({ length: 51 }, (_, index) =>
        follow(hub, index % 2 === 0 ? { orderId } : { userId: "u1" }),
      ),
    );
    const telling = world.advance(orderId);
    for (const { socket } of clients) socket.terminate();
    await telling;
  }
  await expect.poll(() => isEmpty(hub), patience).toEqual({ connections: [0], topics: [0, 0] });
});

test("who is refused and does not close is cut off", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(hub)));
  const closed = sockets.map(async (socket) => {
    socket.write(upgrade("/nowhere"));
    const [answer] = await once(socket, "data");
    socket.resume();
    // Our side stays open; what is written meets a socket that is gone.
    const probe = setInterval(() => socket.write("x"), 200);
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(probe);
    return String(answer).split("\r\n")[0];
  });
  expect(new Set(await Promise.all(closed))).toEqual(new Set(["HTTP/1.1 404 Not Found"]));
});

test("subscriptions that come and go leave nothing behind, however many", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({ STATUS_MAX_SUBSCRIPTIONS: "20000" });
  using client = await connect(hub);
  for (let round = 0; round < 3000; round++) {
    const target = round % 2 === 0 ? { userId: `u-${round}` } : { orderId: `ORD-${round}` };
    client.send({ subscribe: target });
    client.send({ unsubscribe: target });
  }
  client.send({});
  await expect.poll(() => client.frames.at(-1)?.error?.code, patience).toBe("INVALID_FRAME");
  expect((await isEmpty(hub)).topics).toEqual([0, 0]);
});

test("too many pings end the connection, a few do not", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({ STATUS_MAX_SUBSCRIPTIONS: "1" });
  using calm = await connect(hub);
  for (let i = 0; i < 5; i++) calm.socket.ping();
  await once(calm.socket, "pong");
  using flood = await connect(hub);
  for (let i = 0; i < 100; i++) flood.socket.ping();
  expect(await flood.closed).toEqual({ code: 1008, reason: "too many frames" });
  expect(calm.socket.readyState).toBe(calm.socket.OPEN);
});

test("behind a proxy, browsers are counted each for itself", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub({ STATUS_MAX_CONNECTIONS_PER_ADDRESS: "1" });
  const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
  using _one = await connect(hub, from("192.0.2.1"));
  using _other = await connect(hub, from("192.0.2.2"));
  await expect(connect(hub, from("192.0.2.2"))).rejects.toThrow("429");
  await using strict = await world.startHub({
    STATUS_MAX_CONNECTIONS_PER_ADDRESS: "1",
    TRUSTED_PROXIES: "10.0.0.0/8",
  });
  using _first = await connect(strict, from("192.0.2.1"));
  await expect(connect(strict, from("192.0.2.2"))).rejects.toThrow("429");
});

test("an upgrade to anything but a WebSocket is answered as the request that it is", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const ask = async (upgradeTo: string, path: string, host = "localhost") => {
    const socket = await open(hub);
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade, HTTP2-Settings, close\r\n` +
        `Upgrade: ${upgradeTo}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
    );
    const [answer] = await once(socket, "data");
    socket.destroy();
    return String(answer).split("\r\n")[0];
  };
  expect(await ask("h2c", "/healthz")).toBe("HTTP/1.1 200 OK");
  expect(await ask("h2c", "/ws")).toBe("HTTP/1.1 404 Not Found");
  expect(await ask("TLS/1.0, HTTP/1.1", "/readyz")).toBe("HTTP/1.1 200 OK");
  // A page of another site whose name points at this machine.
  expect(await ask("websocket", "/ws", "evil.example")).toMatch(/^HTTP\/1.1 421 /);
});
