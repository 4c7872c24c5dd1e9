/** Our handlers of unary calls beside Connect's own: whatever a client sends, in whatever pieces, the answers are the same. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { Code, ConnectError, createMethodImplSpec } from "@connectrpc/connect";
import { compressionGzip, connectNodeAdapter } from "@connectrpc/connect-node";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ListProductsRequest } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import {
  InventoryService,
  ListProductsRequestSchema,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { loopbackProxies, securityHeaders, silentLogger } from "@smartcart/runtime";
import { createRpcListener } from "../src/http/rpc-listener.ts";
import { createServedMethod } from "../src/server/method-handler.ts";
import { exchange } from "./raw-client.ts";
import { cancel, frame, opening, postHeaders } from "./raw-http2.ts";

const method = InventoryService.method.listProducts;
const path = "/smartcart.inventory.v1.InventoryService/ListProducts";
const options = { acceptCompression: [compressionGzip], readMaxBytes: 2000 };

/** The tokens of the requests that were served, by either server. */
const served: string[] = [];

/** Answers the token so many times, or fails as the token says. */
function listProducts({ pageToken, pageSize }: ListProductsRequest, context: HandlerContext) {
  served.push(pageToken);
  context.responseHeader.set("said-before", pageToken);
  context.responseTrailer.append("said-after", "a");
  context.responseTrailer.append("said-after", "b");
  if (pageToken === "unexpected") throw new Error("not for the caller");
  if (pageToken === "refused") {
    const metadata = { "with-the-error": "yes" };
    const details = [{ desc: ListProductsRequestSchema, value: { pageToken: "detail" } }];
    throw new ConnectError("no ünicode", Code.FailedPrecondition, metadata, details);
  }
  return { nextPageToken: pageToken.repeat(pageSize) };
}

const sessions: ClientHttp2Session[] = [];
const ports: number[] = [];
const servers: { close(): void }[] = [];

async function serve(listener: (...args: never[]) => unknown): Promise<ClientHttp2Session> {
  const server = createServer(listener as never).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const session = connect(`http://127.0.0.1:${port}`);
  servers.push(server as unknown as Server);
  sessions.push(session);
  ports.push(port);
  return session;
}

let ours: ClientHttp2Session;
let connects: ClientHttp2Session;
beforeAll(async () => {
  const spec = createMethodImplSpec(method, listProducts);
  const handlers = [createServedMethod(spec, options).handler];
  ours = await serve(
    createRpcListener({ handlers, trustedProxies: loopbackProxies, log: silentLogger }),
  );
  const routes = { ...options, routes: (router: never) => addTo(router) };
  connects = await serve(connectNodeAdapter(routes as never));
});
afterAll(() => {
  for (const session of sessions) session.destroy();
  for (const server of servers) server.close();
});

function addTo(router: { rpc(...args: unknown[]): unknown }): void {
  router.rpc(method, listProducts);
}

interface Sent {
  readonly headers: Record<string, string>;
  readonly pieces: readonly Uint8Array[];
}

/** All that a client sees of an answer, but for its date and the headers that every answer of ours has. */
async function ask(session: ClientHttp2Session, { headers, pieces }: Sent): Promise<object> {
  const stream = session.request({ ":method": "POST", ":path": path, ...headers });
  const seen: IncomingHttpHeaders[] = [];
  stream.on("response", (response) => seen.push(response));
  stream.on("trailers", (trailers) => seen.push(trailers));
  const body: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => body.push(chunk));
  // The server may be done before it has all.
  stream.on("error", () => {});
  const closed = once(stream, "close");
  for (const piece of pieces) {
    if (!stream.writable) break;
    stream.write(piece);
    await new Promise(setImmediate);
  }
  stream.end();
  await closed;
  const told = Object.assign({}, ...seen) as Record<string, unknown>;
  for (const name of ["date", ...Object.keys(securityHeaders)]) delete told[name];
  const bytes = Buffer.concat(body);
  const compressed = told["content-encoding"] === "gzip" || bytes[0] === 1;
  const text = compressed
    ? gunzipSync(told["content-encoding"] ? bytes : bytes.subarray(5))
    : bytes;
  return { told, text: text.toString("latin1"), compressed };
}

function framed(flags: number, message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flags);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...pieces, bytes.subarray(at)];
}

const requests = fc.record({
  pageToken: fc.oneof(
    fc.constantFrom("unexpected", "refused", "", "t".repeat(1990), "t".repeat(2100)),
    fc.string({ unit: "grapheme-ascii", maxLength: 20 }),
  ),
  pageSize: fc.constantFrom(0, 1, 200),
});
const timeouts = fc.constantFrom(undefined, "5000m", "1S", "12", "soon", "-1");
const encodings = fc.constantFrom(undefined, "identity", "gzip", "zstd");
const accepted = fc.constantFrom(undefined, "", "identity", "gzip", "br, gzip");
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 });

/** Without those that are not set. */
function headersOf(values: Record<string, string | undefined>): Record<string, string> {
  const set = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as Record<string, string>;
}

/** What a request of the contract is on the wire, or not quite. */
function encode(isJson: boolean, request: { pageToken: string; pageSize: number }): Uint8Array {
  const message = create(ListProductsRequestSchema, request);
  return isJson
    ? Buffer.from(toJsonString(ListProductsRequestSchema, message))
    : toBinary(ListProductsRequestSchema, message);
}

async function expectSame(sent: Sent): Promise<void> {
  expect(await ask(ours, sent)).toEqual(await ask(connects, sent));
}

describe("the answer is Connect's", () => {
  test("over gRPC", async () => {
    const property = fc.asyncProperty(
      fc.record({ isJson: fc.boolean(), request: requests, lengths, timeout: timeouts }),
      fc.record({ encoding: encodings, accept: accepted, isZipped: fc.boolean() }),
      fc.constantFrom("whole", "twice", "torn", "not at all", "garbage"),
      async ({ isJson, request, lengths: cuts, timeout }, { encoding, accept, isZipped }, how) => {
        const message = encode(isJson, request);
        const one = isZipped ? framed(1, gzipSync(message)) : framed(0, message);
        const bodies = {
          whole: one,
          // Of two faults either may be told.
          twice: isZipped ? one : Buffer.concat([one, one]),
          torn: one.subarray(0, -1),
          "not at all": Buffer.alloc(0),
          garbage: framed(0, Buffer.from([0xff, 0xff])),
        };
        const headers = headersOf({
          "content-type": isJson ? "application/grpc+json" : "application/grpc",
          te: "trailers",
          "grpc-timeout": timeout,
          "grpc-encoding": encoding,
          "grpc-accept-encoding": accept,
        });
        await expectSame({ headers, pieces: cut(bodies[how], cuts) });
      },
    );
    await fc.assert(property, { numRuns: 400 });
  });

  test("by Connect's own protocol", async () => {
    const property = fc.asyncProperty(
      fc.record({ isJson: fc.boolean(), request: requests, lengths, timeout: timeouts }),
      fc.record({ encoding: encodings, accept: accepted, isZipped: fc.boolean() }),
      fc.record({
        how: fc.constantFrom("whole", "torn", "not at all", "garbage"),
        isLengthTold: fc.boolean(),
      }),
      async (
        { isJson, request, lengths: cuts, timeout },
        { encoding, accept, isZipped },
        { how, isLengthTold },
      ) => {
        const message = encode(isJson, request);
        const one = isZipped ? gzipSync(message) : message;
        const bodies = {
          whole: one,
          torn: one.subarray(0, -1),
          "not at all": Buffer.alloc(0),
          garbage: Buffer.from([0xff, 0xff]),
        };
        const headers = headersOf({
          "content-type": isJson ? "application/json" : "application/proto",
          "connect-timeout-ms": timeout,
          "content-encoding": encoding,
          "content-length": isLengthTold ? `${bodies[how].length}` : undefined,
          "accept-encoding": accept,
        });
        await expectSame({ headers, pieces: cut(bodies[how], cuts) });
      },
    );
    await fc.assert(property, { numRuns: 400 });
  });
});

test.each([
  ["CANCEL", cancel(1)],
  ["NO_ERROR", frame(3, 0, 1, Buffer.alloc(4))],
])("a message that is reset before its end (%s) is not taken for a whole one", async (_, reset) => {
  const message = Buffer.from('{"pageSize":7}');
  const json = { "content-type": "application/json" };
  const before = served.length;
  const torn = [postHeaders(1, path), frame(0, 0, 1, message)];
  const next = [reset, postHeaders(3, path), frame(0, 1, 3, message)];
  await exchange(ports[0] ?? 0, Buffer.concat([opening, ...torn]), {
    followUp: Buffer.concat(next).toString("latin1"),
    until: () => served.length > before,
  });
  await ask(ours, { headers: json, pieces: [message] });
  expect(served).toHaveLength(before + 2);
});
