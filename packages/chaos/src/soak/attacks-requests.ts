/** Attacks by the content of requests. */
import { gzipSync } from "node:zlib";
import type { Generator, Targets } from "./generator.ts";
import { closed, firstAnswer, openRawConnection } from "./raw-connection.ts";

const ranges = [
  "bytes=5-2",
  "bytes=-0",
  "bytes=0-0,2-2,4-4",
  "bytes=99999999999999999999-",
  "bytes=0-18446744073709551615",
  "bytes=-99999999999999999999",
  "bytes=",
  "items=0-5",
  `bytes=${Array.from({ length: 200 }, (_, i) => `${i}-${i}`).join(",")}`,
  "bytes=a-b",
];

export const oddRanges: Generator = {
  what: "connections with ten odd ranges each",
  perSecond: 50,
  atOnce: 50,
  run: ({ page, asset }, turn) => {
    const path = turn % 2 === 0 ? "/favicon.svg" : asset;
    const gets = ranges.map((range, i) => getRequest(path, `range: ${range}`, i === 9));
    return closed(openRawConnection(page, Buffer.concat(gets)));
  },
};

export const abortedDownloads: Generator = {
  what: "connections with forty downloads that are cut off at the first byte",
  perSecond: 25,
  atOnce: 50,
  async run({ page, asset }, turn) {
    const gets = Array.from({ length: 40 }, () => getRequest(asset));
    const socket = openRawConnection(page, Buffer.concat(gets));
    await firstAnswer(socket);
    if (turn % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
    await closed(socket);
  },
};

const inventory = "/smartcart.inventory.v1.InventoryService";
/** Lines without content, each two bytes of protobuf: field 1 with length 0. */
const emptyLines = Buffer.alloc(250_000, Buffer.from([0x0a, 0x00]));
const emptyJson = (field: string) => Buffer.from(`{"${field}":[${"{},".repeat(80_000)}{}]}`);

const compressed = (path: string, type: string, bytes: Buffer): Bomb => {
  const body = gzipSync(bytes, { level: 9 });
  return { path, head: `content-type: ${type}\r\ncontent-encoding: gzip`, body };
};
/** A message of a stream: a byte of flags that says "compressed", and its length. */
const enveloped = (path: string, bytes: Buffer): Bomb => {
  const message = gzipSync(bytes, { level: 9 });
  const head = Buffer.alloc(5, 1);
  head.writeUInt32BE(message.length, 1);
  const fields = "content-type: application/connect+proto\r\nconnect-content-encoding: gzip";
  return { path, head: fields, body: Buffer.concat([head, message]) };
};

interface Bomb {
  readonly path: string;
  readonly head: string;
  readonly body: Buffer;
}

const bombs: readonly Bomb[] = [
  compressed(`${inventory}/CheckAvailability`, "application/proto", emptyLines),
  compressed(`${inventory}/CheckAvailability`, "application/json", emptyJson("lines")),
  enveloped(`${inventory}/WatchStock`, emptyLines),
  compressed(
    `${inventory}/BatchReserve`,
    "application/proto",
    Buffer.concat([emptyLines, emptyLines]),
  ),
  compressed(`${inventory}/CheckAvailability`, "application/json", Buffer.alloc(1_000_000, "[")),
];

export const gzipBombs: Generator = {
  what: "compressed bodies, directly and through the page",
  perSecond: 40,
  atOnce: 20,
  run(targets, turn) {
    const bomb = bombs[turn % bombs.length] as Bomb;
    const url = turn % 2 === 0 ? targets.inventory : targets.page;
    return closed(openRawConnection(url, postRequest(bomb)));
  },
};

const wrongItems = (count: number) =>
  Buffer.from(JSON.stringify({ userId: "", items: Array(count).fill({ quantity: -1 }) }));
const orderOfNonsense: Bomb = {
  path: "/placeOrder",
  head: "content-type: application/json",
  body: wrongItems(5_000),
};

export const violations: Generator = {
  what: "orders of five thousand wrong lines",
  perSecond: 10,
  atOnce: 10,
  run: ({ order, page }: Targets, turn) =>
    closed(openRawConnection(turn % 2 === 0 ? order : page, postRequest(orderOfNonsense))),
};

function getRequest(path: string, header = "accept: */*", isLast = false): Buffer {
  const close = isLast ? "connection: close\r\n" : "";
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${header}\r\n${close}\r\n`);
}

function postRequest({ path, head, body }: Bomb): Buffer {
  const lines = [
    `POST ${path} HTTP/1.1`,
    "host: localhost",
    head,
    `content-length: ${body.length}`,
    "connection: close",
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}
