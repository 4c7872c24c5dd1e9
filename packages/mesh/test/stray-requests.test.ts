/**
 * Whatever bytes come to a port cost their sender at most the connection: an answer, or the end, and all others are served.
 * An uncaught error fails the run by itself. FC_SEED repeats a run.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { Logger } from "@smartcart/runtime";
import { silentLogger } from "@smartcart/runtime";
import type { RunningServer } from "../src/index.ts";
import { exchange, statusOf } from "./raw-client.ts";
import { frame, opening, postHeaders } from "./raw-http2.ts";
import { startOrderServer } from "./rig.ts";

const seed = process.env.FC_SEED === undefined ? undefined : Number(process.env.FC_SEED);
/** Of four generators, eight connections at once: 10,240 in all. */
const runs = { numRuns: 320, ...(seed !== undefined && { seed }) };
const inTime = 240_000;
/** A 504 is what a deadline of a microsecond asks for, and a 505 what HTTP/9.9 does. */
const faults = [500, 501, 502, 503];

const errors: unknown[] = [];
const log: Logger = {
  ...silentLogger,
  child: () => log,
  error: (event, fields) => void errors.push({ event, ...fields }),
};

let server: RunningServer;
beforeAll(async () => {
  server = await startOrderServer({
    log,
    onUpgrade: (_, socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  expect(errors).toEqual([]);
});

/** Whether the server answers everybody else. */
async function serverAnswers(): Promise<boolean> {
  const res = await fetch(`${server.url}/orders/ORD-1`);
  return res.status === 200;
}

const rpc = `/${OrderService.typeName}/GetOrder`;
const latin1 = fc
  .uint8Array({ maxLength: 30 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));
const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
const piece = fc.oneof(
  fc.constantFrom(
    "/",
    "//",
    "..",
    "%",
    "%ff",
    "%00",
    "%2e",
    "\\",
    "?",
    "#",
    "*",
    ":",
    "@",
    "[",
    "]",
  ),
  fc.constantFrom("orders", "placeOrder", "ws", "docs", "healthz", "metrics", "openapi.json", rpc),
  fc.constantFrom(
    "http://",
    "https://",
    "ftp:",
    "localhost",
    "evil.example",
    "127.0.0.1:1",
    "[::1",
  ),
  latin1,
);
const target = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
const verb = fc.oneof(
  fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "PRI"),
  token,
);
const header = fc.oneof(
  fc.tuple(token, latin1).map(([name, value]) => `${name}: ${value}`),
  fc
    .tuple(
      fc.constantFrom(
        ...["Host", "Content-Length", "Transfer-Encoding", "Content-Type", "Content-Encoding"],
        ...["Connection", "Upgrade", "Expect", "Range", "Origin", "Access-Control-Request-Method"],
        ...["traceparent", "grpc-timeout", "connect-timeout-ms", "X-Forwarded-For"],
        ...["Idempotency-Key", "grpc-encoding", "connect-protocol-version", "x-mesh-caller"],
      ),
      fc.oneof(
        latin1,
        fc.constantFrom("0", "-1", "5", "99999999999999999999", "chunked", "gzip", "websocket"),
        fc.constantFrom("h2c", "close", "100-continue", "application/json", "application/grpc"),
        fc.constantFrom("application/connect+proto", "localhost", "evil.example", "*", "1H", "0n"),
      ),
    )
    .map(([name, value]) => `${name}: ${value}`),
);
const http1 = fc
  .tuple(
    verb,
    target,
    fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", ""),
    fc.array(header, { maxLength: 6 }),
    fc.boolean(),
    latin1,
  )
  .map(([method, path, version, headers, host, body]) => {
    const all = host ? ["Host: localhost", ...headers] : headers;
    return `${method} ${path} ${version}\r\n${all.map((h) => `${h}\r\n`).join("")}\r\n${body}`;
  });

/** What gets past the parser: a path, a known verb, and headers of printable characters. */
const wellFormed = fc
  .tuple(
    fc.constantFrom("GET", "POST", "DELETE", "OPTIONS", "HEAD"),
    target.map((path) => `/${path.replaceAll(/[^!-~]/g, "")}`),
    fc.array(
      header.map((line) => line.replaceAll(/[^ -~]/g, "")),
      { maxLength: 4 },
    ),
  )
  .map(
    ([method, path, headers]) =>
      `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers.map((h) => `${h}\r\n`).join("")}\r\n`,
  );

const anyFrame = fc
  .tuple(
    fc.nat({ max: 12 }),
    fc.nat({ max: 255 }),
    fc.oneof(fc.constantFrom(0, 1, 3, 5), fc.nat({ max: 0x7fffffff })),
    fc.uint8Array({ maxLength: 64 }),
  )
  .map(([type, flags, id, payload]) => frame(type, flags, id, payload));
const posted = fc
  .tuple(fc.constantFrom(1, 3, 5, 7), target)
  .map(([id, path]) => postHeaders(id, path.slice(0, 100)));
const http2 = fc
  .array(fc.oneof(anyFrame, posted), { maxLength: 12 })
  .map((frames) => Buffer.concat([opening, ...frames]));

const generators: readonly (readonly [string, fc.Arbitrary<string | Uint8Array>])[] = [
  ["requests of HTTP/1.1", http1],
  ["well-formed requests", wellFormed],
  ["frames of HTTP/2", http2],
  ["bytes", fc.uint8Array({ minLength: 1, maxLength: 200 })],
];

describe.each(generators)("%s", (_, generated) => {
  test(
    "cost their sender the connection at most",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(generated, { minLength: 8, maxLength: 8 }), async (many) => {
          const answers = await Promise.all(
            many.map((bytes) => exchange(server.port, bytes, { halfClose: true, waitMs: 8000 })),
          );
          for (const answer of answers) expect(faults).not.toContain(statusOf(answer));
          expect(await serverAnswers()).toBe(true);
        }),
        runs,
      );
    },
    inTime,
  );
});
