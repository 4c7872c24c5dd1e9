import { PassThrough } from "node:stream";
import fc from "fast-check";
import codec from "rabbitmq-client/lib/codec.js";
import util from "rabbitmq-client/lib/util.js";
import { expect, it } from "vitest";
import type { Read } from "./frames.ts";
import { readFrames } from "./frames.ts";

const { Cmd, FrameType, decodeFrame, encodeFrame } = codec as unknown as {
  Cmd: Record<"BasicDeliver" | "BasicAck" | "BasicCancel" | "QueueDeclareOK", number>;
  FrameType: Record<"METHOD" | "BODY", number>;
  decodeFrame(read: Read): Promise<object>;
  encodeFrame(frame: object): Buffer;
};
const { createAsyncReader } = util as unknown as { createAsyncReader(socket: PassThrough): Read };

const text = fc.string({ unit: "binary", maxLength: 60 });
const deliveryTag = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const method = (name: keyof typeof Cmd, params: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({
    type: fc.constant(FrameType.METHOD),
    channelId: fc.nat({ max: 65_535 }),
    methodId: fc.constant(Cmd[name]),
    params: fc.record(params),
  });
const frames = fc.oneof(
  method("BasicDeliver", {
    ...{ consumerTag: text, deliveryTag, redelivered: fc.boolean() },
    ...{ exchange: text, routingKey: text },
  }),
  method("BasicAck", { deliveryTag, multiple: fc.boolean() }),
  method("BasicCancel", { consumerTag: text, nowait: fc.boolean() }),
  method("QueueDeclareOK", { queue: text, messageCount: fc.nat(), consumerCount: fc.nat() }),
  fc.record({
    type: fc.constant(FrameType.BODY),
    channelId: fc.nat({ max: 65_535 }),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
);

it("are what the client's own decoder makes of them, in whatever pieces they arrive", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(frames, { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }),
      async (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((frame) => encodeFrame(frame)));
        expect(await readAll(bytes, sizes)).toEqual(await decodeAll(bytes, sent.length));
      },
    ),
    { numRuns: 200 },
  );
});

/** What `readFrames` hands on where the bytes arrive in pieces of these sizes. */
async function readAll(bytes: Buffer, sizes: readonly number[]): Promise<object[]> {
  const socket = new PassThrough();
  const seen: object[] = [];
  const reading = readFrames(socket, createAsyncReader(socket), (frame) => seen.push(frame));
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const end = at + (sizes[piece % sizes.length] ?? 1);
    socket.write(bytes.subarray(at, end));
    at = end;
    if (piece % 2 === 0) await new Promise(setImmediate);
  }
  socket.end();
  await expect(reading).rejects.toMatchObject({ code: "READ_END" });
  return seen;
}

async function decodeAll(bytes: Buffer, count: number): Promise<object[]> {
  let at = 0;
  const decoded: object[] = [];
  while (decoded.length < count) {
    decoded.push(
      await decodeFrame(async (size) => {
        at += size;
        return bytes.subarray(at - size, at);
      }),
    );
  }
  return decoded;
}
