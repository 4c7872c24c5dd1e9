/** Requests that fail before any interceptor sees them: their errors are those of the interceptors all the same. */
import { connect } from "node:http2";
import { gzipSync } from "node:zlib";
import type { JsonObject } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { errorFromJson } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toJsonPath } from "@smartcart/contract";
import {
  InventoryService,
  ReserveRequestSchema,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { silentLogger } from "@smartcart/runtime";
import type { RunningServer } from "../src/index.ts";
import { detailOf, problemOf, settleBatch, ValidationError } from "../src/index.ts";
import { assertValid } from "../src/server/validation.ts";
import { startOrderServer, startTestServer } from "./rig.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startOrderServer({ maxBodyBytes: 4096 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const service = "/smartcart.order.v1.OrderService";

interface Sent {
  readonly method: string;
  readonly body: Uint8Array;
  readonly codec: "proto" | "json";
  readonly gzip?: boolean;
}

const unknownError = new Error("the answer is not an error");

async function connectUnary({ method, body, codec, gzip }: Sent): Promise<ConnectError> {
  const res = await fetch(`${server.url}${service}/${method}`, {
    method: "POST",
    headers: {
      "content-type": `application/${codec}`,
      ...(gzip === true && { "content-encoding": "gzip" }),
    },
    body: new Uint8Array(body),
  });
  expect(res.status).toBeLessThan(500);
  return errorFromJson((await res.json()) as JsonObject, undefined, unknownError as never);
}

function envelope({ body, gzip }: Sent): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(gzip === true ? 1 : 0, 0);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

async function grpc(sent: Sent): Promise<ConnectError> {
  const session = connect(server.url);
  const stream = session.request({
    ":method": "POST",
    ":path": `${service}/${sent.method}`,
    "content-type": `application/grpc+${sent.codec}`,
    te: "trailers",
    ...(sent.gzip === true && { "grpc-encoding": "gzip" }),
  });
  const ended = Promise.withResolvers<Record<string, string>>();
  let headers: object = {};
  stream.once("response", (got) => (headers = got));
  stream.once("trailers", (got) => ended.resolve(got as never));
  stream.once("error", ended.reject);
  stream.once("close", () => ended.resolve(headers as never));
  stream.resume();
  stream.end(envelope(sent));
  const trailers = Object.entries(await ended.promise).filter(([name]) => name.startsWith("grpc-"));
  session.close();
  return findTrailerError(new Headers(trailers)) as ConnectError;
}

async function grpcWeb(sent: Sent): Promise<ConnectError> {
  const res = await fetch(`${server.url}${service}/${sent.method}`, {
    method: "POST",
    headers: {
      "content-type": `application/grpc-web+${sent.codec}`,
      ...(sent.gzip === true && { "grpc-encoding": "gzip" }),
    },
    body: new Uint8Array(envelope(sent)),
  });
  const bytes = new Uint8Array(await res.arrayBuffer());
  return findTrailerError(
    bytes.length > 0 ? trailerParse(bytes.slice(5)) : res.headers,
  ) as ConnectError;
}

const protocols = [
  ["Connect", connectUnary],
  ["gRPC", grpc],
  ["gRPC-Web", grpcWeb],
] as const;

const text = (json: string) => new TextEncoder().encode(json);
const bomb = gzipSync(Buffer.alloc(100_000));

describe.each(protocols)("over %s", (_, send) => {
  test.each<[string, Omit<Sent, "method">, string]>([
    ["garbage", { codec: "proto", body: Buffer.from("ffffffffff", "hex") }, "MALFORMED_MESSAGE"],
    ["cut off", { codec: "proto", body: Buffer.from("0a0541", "hex") }, "MALFORMED_MESSAGE"],
    ["no UTF-8", { codec: "proto", body: Buffer.from("0a02fffe", "hex") }, "MALFORMED_MESSAGE"],
    ["no UTF-8", { codec: "json", body: Buffer.from('{"a":"\xff"}', "latin1") }, "MALFORMED_JSON"],
    ["no JSON", { codec: "json", body: text("{") }, "MALFORMED_JSON"],
    ["no object", { codec: "json", body: text("[]") }, "INVALID_ARGUMENT"],
    ["no gzip", { codec: "json", body: text("{}"), gzip: true }, "MALFORMED_MESSAGE"],
    [
      "cut-off gzip",
      { codec: "proto", body: gzipSync("{}").subarray(0, 15), gzip: true },
      "MALFORMED_MESSAGE",
    ],
  ])("%s %o is INVALID_ARGUMENT with a problem", async (_, sent, code) => {
    const error = await send({ method: "GetOrder", ...sent });
    expect(error.code).toBe(Code.InvalidArgument);
    expect(problemOf(error)).toMatchObject({ code, retryAfterMs: 0 });
    expect(error.rawMessage).not.toBe("");
  });

  test.each<[string, Omit<Sent, "method">]>([
    ["as sent", { codec: "proto", body: Buffer.alloc(5000) }],
    ["after decompression", { codec: "proto", body: bomb, gzip: true }],
  ])("too many bytes %s is RESOURCE_EXHAUSTED with a problem", async (_, sent) => {
    const error = await send({ method: "PlaceOrder", ...sent });
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(problemOf(error)).toMatchObject({ code: "BODY_TOO_LARGE", retryAfterMs: 0 });
  });

  test.each<[string, string]>([
    ['{"userId":"a","user_id":"b"}', "user_id"],
    ['{"userId":"a","userId":"b"}', "userId"],
    ['{"items":[{"quantity":1,"quantity":2}]}', "items[0].quantity"],
    ['{"items":[{"quantity":"0x10"}]}', "items[0].quantity"],
    ['{"items":[{"quantity":1.5}]}', "items[0].quantity"],
    ['{"items":{}}', "items"],
    [`{"userId":${"[".repeat(80)}${"]".repeat(80)}}`, "userId"],
  ])("%s is refused with the field", async (body, field) => {
    const error = await send({ method: "PlaceOrder", codec: "json", body: text(body) });
    expect(error.code).toBe(Code.InvalidArgument);
    expect(problemOf(error)?.code).toBe("INVALID_ARGUMENT");
    const violation = detailOf(error, ViolationsSchema)?.violations[0];
    // On the wire a path has the names of the proto.
    expect(toJsonPath(violation?.field?.elements)).toBe(field === "user_id" ? "userId" : field);
    expect(error.rawMessage).toContain(`${field}: `);
  });
});

describe("a request of very many parts", () => {
  const { batchReserve, checkAvailability } = InventoryService.method;

  /** Field 1 so many times, each empty. */
  const empties = (bytes: number) => Buffer.from("0a00".repeat(bytes / 2), "hex");

  test.each([
    [checkAvailability.name, 250_000, "lines"],
    [batchReserve.name, 1_000_000, "requests"],
  ])("%s is refused with one violation", async (method, bytes, field) => {
    await using inventory = await startTestServer();
    const res = await fetch(`${inventory.url}/${InventoryService.typeName}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/proto", "content-encoding": "gzip" },
      body: new Uint8Array(gzipSync(empties(bytes))),
    });
    const answer = await res.text();
    expect(res.status).toBe(400);
    expect(answer.length).toBeLessThan(2000);
    expect(answer).toContain(`${field}: must contain no more than`);
  });

  test("a stream's as well", async () => {
    await using inventory = await startTestServer();
    const client = createClient(InventoryService, inventory.transport);
    const productIds = Array.from({ length: 100_000 }, () => "");
    const stream = client.watchStock({ productIds });
    const error = ConnectError.from(
      await stream[Symbol.asyncIterator]()
        .next()
        .catch((e) => e),
    );
    expect(error.code).toBe(Code.InvalidArgument);
    expect(detailOf(error, ViolationsSchema)?.violations).toHaveLength(1);
  });

  test("within the bounds of its lists, but far too many to look at each", async () => {
    const requests = Array.from({ length: 256 }, () => ({
      lines: Array.from({ length: 100 }, () => ({})),
    }));
    const startedAt = performance.now();
    const refuse = () => assertValid(batchReserve.input, create(batchReserve.input, { requests }));
    expect(refuse).toThrow("requests[0].reservationId");
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});

test("a failed item of a batch is told in JSON, with its details", async () => {
  const refuse = async () => {
    throw new ValidationError([{ field: "lines[0].productId", message: "is unknown" }]);
  };
  const errors = { log: silentLogger, mapError: (error: unknown) => error };
  const routes = (router: ConnectRouter) => {
    router.service(InventoryService, {
      batchReserve: async ({ requests }) => ({
        results: await settleBatch(ReserveRequestSchema, requests, refuse, errors),
      }),
    });
  };
  await using inventory = await startTestServer({ routes });
  const lines = [{ productId: "mug", quantity: 1 }];
  const res = await fetch(`${inventory.url}/${InventoryService.typeName}/BatchReserve`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ requests: [{ reservationId: "r1", lines }] }),
  });
  const problem = { "@type": "type.googleapis.com/smartcart.type.v1.Problem" };
  expect(await res.json()).toMatchObject({ results: [{ error: { details: [problem, {}] } }] });
});

describe("a message in the query of a GET", () => {
  const get = (query: string) => fetch(`${server.url}${service}/GetOrder?${query}`);

  test.each([
    "encoding=proto&base64=1&message=***",
    "encoding=proto&base64=1&message=CgVB",
    "encoding=proto&message=%C3%BF%C3%BF",
    "encoding=json&message={",
    "encoding=json&base64=1&message=__79",
    "encoding=json&base64=1&compression=gzip&message=AAAA",
  ])("%s is 400 with a problem", async (query) => {
    const res = await get(query);
    expect(res.status).toBe(400);
    const error = errorFromJson((await res.json()) as JsonObject, undefined, unknownError as never);
    expect(problemOf(error)?.code).toMatch(/^MALFORMED_/);
  });

  test("is read, with base64 and without", async () => {
    const json = '{"orderId":"ORD-1"}';
    const base64 = Buffer.from(json).toString("base64url");
    for (const query of [`message=${encodeURIComponent(json)}`, `base64=1&message=${base64}`]) {
      const res = await get(`encoding=json&${query}`);
      expect(await res.json()).toMatchObject({ order: { orderId: "ORD-1" } });
    }
  });
});
