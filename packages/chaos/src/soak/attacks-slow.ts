/** Attacks by slow requests: the modes of slowhttptest, connections that send nothing, and bodies that never end. */
import type { Socket } from "node:net";
import type { Generator } from "./generator.ts";
import { opening, post } from "./http2-frames.ts";
import { closed, openRawConnection } from "./raw-connection.ts";

/** Longer than every time-out of the server. */
const patienceMs = 90_000;
const trickleEveryMs = 1_000;

/** Sends a little more each second, until the connection ends. */
async function trickle(socket: Socket, bytes: Uint8Array): Promise<void> {
  const timer = setInterval(() => socket.write(bytes), trickleEveryMs);
  await closed(socket);
  clearInterval(timer);
}

const halfHead = Buffer.from("GET /orders?userId=u1 HTTP/1.1\r\nhost: localhost\r\n");
const anotherHeader = Buffer.from("x-more: 1\r\n");

export const slowHeaders: Generator = {
  what: "requests whose headers never end, a header a second",
  perSecond: 100,
  atOnce: 500,
  run: ({ order, page }, turn) =>
    trickle(
      openRawConnection(turn % 2 === 0 ? order : page, halfHead, { patienceMs }),
      anotherHeader,
    ),
};

const halfBody = Buffer.from(
  'POST /placeOrder HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{"userId":"',
);

export const slowBodies: Generator = {
  what: "orders whose body comes at a byte a second",
  perSecond: 100,
  atOnce: 500,
  run: ({ order, page }, turn) =>
    trickle(
      openRawConnection(turn % 2 === 0 ? order : page, halfBody, { patienceMs }),
      Buffer.from("u"),
    ),
};

const stalled = Buffer.concat([
  opening(),
  ...Array.from({ length: 100 }, (_, i) =>
    post(2 * i + 1, { path: "/placeOrder", type: "application/json" }),
  ),
]);

export const stalledStreams: Generator = {
  what: "connections of HTTP/2 with 100 orders whose bodies never come",
  perSecond: 5,
  atOnce: 50,
  run: ({ order }) => closed(openRawConnection(order, stalled, { patienceMs })),
};

export const idleSockets: Generator = {
  what: "connections from one address that say nothing, 5,000 at once",
  perSecond: 1_000,
  atOnce: 5_000,
  run: ({ order, page, hub }, turn) => {
    const url = [order, page, hub][turn % 3] ?? order;
    return closed(openRawConnection(url, new Uint8Array(), { patienceMs }));
  },
};
