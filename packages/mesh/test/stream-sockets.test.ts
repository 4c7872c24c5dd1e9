/** Server streams over a WebSocket, as a page of the console opens them. */
import { once } from "node:events";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  InventoryService,
  WatchStockRequestSchema,
  WatchStockResponseSchema,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { StreamServerFrame } from "@smartcart/gen/mesh/v1/stream_frames_pb";
import {
  StreamClientFrameSchema,
  StreamServerFrameSchema,
} from "@smartcart/gen/mesh/v1/stream_frames_pb";
import type { RunningServer } from "../src/index.ts";
import { startTestServer } from "./rig.ts";

const path = "/streams";
const watchStock = "smartcart.inventory.v1.InventoryService/WatchStock";
let server: RunningServer;
/** Streams of the server that have not ended. */
let running = 0;

function routes(router: ConnectRouter): void {
  router.service(InventoryService, {
    async *watchStock({ productIds }, { signal }) {
      running += 1;
      try {
        yield { products: productIds.map((productId) => ({ productId, available: 7 })) };
        if (productIds.includes("ends") || signal.aborted) return;
        await once(signal, "abort");
      } finally {
        running -= 1;
      }
    },
  });
}

beforeAll(async () => {
  server = await startTestServer({ routes, streamSocketPath: path, drainMs: 500 });
});
afterAll(() => server[Symbol.asyncDispose]());

async function connect({ to = server, headers = {} } = {}) {
  const socket = new WebSocket(`${to.url.replace("http", "ws")}${path}`, { headers });
  const frames: StreamServerFrame[] = [];
  socket.on("message", (data: Buffer) => frames.push(fromBinary(StreamServerFrameSchema, data)));
  const closed = once(socket, "close").then(([code]) => Number(code));
  await once(socket, "open");
  const send = (frame: Parameters<typeof create<typeof StreamClientFrameSchema>>[1]) =>
    socket.send(toBinary(StreamClientFrameSchema, create(StreamClientFrameSchema, frame)));
  return {
    socket,
    frames,
    closed,
    cancel: (callId: number) => send({ callId, action: { case: "cancel", value: {} } }),
    open: (
      callId: number,
      productIds: string[],
      o: { method?: string; authorization?: string } = {},
    ) =>
      send({
        callId,
        action: {
          case: "open",
          value: {
            method: watchStock,
            request: toBinary(
              WatchStockRequestSchema,
              create(WatchStockRequestSchema, { productIds }),
            ),
            ...o,
          },
        },
      }),
    /** The first frame of a call that has this event. */
    event: (callId: number, wanted: "message" | "end") =>
      expect.poll(
        () => frames.find((one) => one.callId === callId && one.event.case === wanted)?.event,
      ),
    [Symbol.asyncDispose]: async () => {
      socket.terminate();
      await closed;
    },
  };
}

test("many streams share a connection, each ends by itself, and what is left ends with it", async () => {
  const client = await connect();
  client.open(1, ["mug"]);
  client.open(2, ["ends"]);
  client.open(3, ["pot"]);
  await client.event(2, "end").toMatchObject({ value: { code: 0, error: "" } });
  await client.event(1, "message").toBeDefined();
  await client.event(3, "message").toBeDefined();
  const of1 = client.frames.find(({ callId }) => callId === 1)?.event;
  const bytes = of1?.case === "message" ? of1.value : new Uint8Array();
  expect(fromBinary(WatchStockResponseSchema, bytes)).toMatchObject({
    products: [{ productId: "mug", available: 7 }],
  });
  client.cancel(1);
  client.cancel(99);
  await expect.poll(() => running).toBe(1);
  await client[Symbol.asyncDispose]();
  await expect.poll(() => running).toBe(0);
});

test("an error of a call says its code and its text, and costs no other call anything", async () => {
  await using client = await connect();
  client.open(1, ["mug"]);
  client.open(2, [], { method: "smartcart.inventory.v1.InventoryService/CheckStock" });
  client.open(3, ["not an id\u0000"]);
  await client.event(2, "end").toMatchObject({ value: { code: Code.Unimplemented } });
  await client.event(3, "end").toMatchObject({ value: { code: Code.InvalidArgument } });
  client.open(4, ["pot"]);
  await client.event(4, "message").toBeDefined();
  expect(client.socket.readyState).toBe(WebSocket.OPEN);
});

test.each([
  ["text", "hello"],
  ["no frame", Buffer.from([0xff, 0xff, 0xff])],
])("%s closes the connection with 1007", async (_, frame) => {
  await using client = await connect();
  client.socket.send(frame);
  expect(await client.closed).toBe(1007);
});

test("a number that is in use, and more streams than a connection may have, close it", async () => {
  await using client = await connect();
  client.open(1, ["mug"]);
  client.open(1, ["mug"]);
  expect(await client.closed).toBe(1007);
  await using greedy = await connect();
  for (let callId = 0; callId <= 32; callId += 1) greedy.open(callId, ["mug"]);
  expect(await greedy.closed).toBe(1007);
  await expect.poll(() => running).toBe(0);
});

test.each([
  ["another path", "/elsewhere", {}, 404],
  ["a page of another site", path, { origin: "https://evil.example" }, 403],
] as const)("%s is refused before the upgrade", async (_, at, headers, status) => {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}${at}`, { headers });
  const [, response] = await once(socket, "unexpected-response");
  expect(response.statusCode).toBe(status);
});

test("each call is let in by its own token", async () => {
  await using guarded = await startTestServer({
    routes,
    services: [],
    streamSocketPath: path,
    drainMs: 500,
    authenticate: (authorization) => {
      if (authorization !== "Bearer good") throw new Error("bad");
      return { kind: "operator", subject: "ada", expiresAtMs: Number.POSITIVE_INFINITY };
    },
    trust: { customers: false, operators: false, services: false },
  });
  await using client = await connect({ to: guarded });
  const method = "smartcart.ops.v1.InstanceService/WatchInstance";
  client.open(1, [], { method });
  client.open(2, [], { method, authorization: "Bearer good" });
  await client.event(1, "end").toMatchObject({ value: { code: Code.Unauthenticated } });
  // An operator, whom the contract does not let in here either: only services.
  await client.event(2, "end").toMatchObject({ value: { code: Code.PermissionDenied } });
});

test("a server that drains closes the sockets with 1001", async () => {
  const short = await startTestServer({ routes, streamSocketPath: path, drainMs: 2_000 });
  const client = await connect({ to: short });
  client.open(1, ["mug"]);
  await client.event(1, "message").toBeDefined();
  await short[Symbol.asyncDispose]();
  expect(await client.closed).toBe(1001);
});
