/** Frames of AMQP 0-9-1 (2.3.5) and messages in them, as bytes and as the client's code takes them. */
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import codec from "rabbitmq-client/lib/codec.js";
import { readProperties } from "./properties.ts";

/** Reads that many bytes of the socket. */
export type Read = (bytes: number) => Promise<Buffer>;

/** A message with given properties, byte for byte. */
export interface RawPublish {
  readonly exchange: string;
  readonly routingKey: string;
  /** Whether the broker is to return it where no queue takes it. */
  readonly mandatory: boolean;
  /** What `writeProperties` makes. */
  readonly properties: Buffer;
  readonly body: Buffer;
}

interface Codec {
  readonly Cmd: Readonly<Record<"BasicPublish" | "BasicDeliver" | "BasicAck", number>>;
  readonly FrameType: Readonly<Record<"METHOD" | "HEADER" | "BODY", number>>;
  decodeFrame(read: Read): Promise<object>;
  encodeFrame(frame: object): Buffer;
}

const client = codec as unknown as Codec;
const { Cmd, FrameType } = client;

/** Bytes of a frame around its payload: type, channel and size before it, an end mark after it. */
export const frameOverhead = 8;
const frameEnd = 0xce;
/** Longer than any frame that we agree to: `frameMax` in `connection.ts`. */
const longestFrame = 1024 * 1024;

/** Type, channel and size of the payload stand before it. */
const frameHead = 7;

/**
 * Hands on all frames until the socket ends. The client awaits each half of a frame; here whatever has arrived is read at once, and
 * only what is not there yet is waited for: a batch of messages is hundreds of frames.
 */
export async function readFrames(
  socket: Pick<Readable, "read">,
  read: Read,
  handle: (frame: object) => void,
): Promise<never> {
  // Of a frame that has not arrived as a whole.
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const size = frameSize(bytes);
    if (bytes.length < size) {
      const arrived: Buffer | null = socket.read();
      bytes = Buffer.concat([bytes, arrived ?? (await read(size - bytes.length))]);
      continue;
    }
    const frame = decodeFrame(bytes.subarray(0, size));
    bytes = bytes.subarray(size);
    if (frame instanceof Promise) {
      handle(await frame);
      // The answer to a request: the client registers a consumer some promises later, and drops a delivery that comes before.
      await setImmediate();
    } else {
      handle(frame);
    }
  }
}

/** Bytes of the frame that begins there; as many as tell that, where they are not there yet. */
function frameSize(bytes: Buffer): number {
  if (bytes.length < frameHead) return frameHead;
  return checkFrameLength(frameOverhead + bytes.readUInt32BE(3));
}

/**
 * Takes nothing for a frame that is longer than any may be. What answers in another protocol, as HTTP does, begins with what looks like
 * one of a gigabyte, and the socket's own error for that would end the process.
 */
export function checkFrameLength(bytes: number): number {
  if (bytes <= longestFrame) return bytes;
  const error = new Error(`a frame of ${bytes} bytes: this is not AMQP 0-9-1`);
  throw Object.assign(error, { code: "FRAME_ERROR" });
}

/** A whole frame as the client's `_handleChunk` takes it. A promise for the methods that are rare, which the client decodes itself. */
function decodeFrame(frame: Buffer): object | Promise<object> {
  if (frame.at(-1) !== frameEnd) throw new Error("a frame from the broker has no end mark");
  const type = frame[0];
  const channelId = frame.readUInt16BE(1);
  const payload = frame.subarray(frameHead, -1);
  switch (type) {
    case FrameType.HEADER: {
      const properties = readProperties(payload);
      const bodySize = Number(payload.readBigUInt64BE(4));
      // Without a content type among the fields the client leaves the body alone.
      return { type, channelId, bodySize, fields: { properties } };
    }
    case FrameType.BODY:
      return { type, channelId, payload };
    case FrameType.METHOD: {
      const methodId = payload.readUInt32BE(0);
      const params = paramsOf(methodId, payload);
      return params === undefined ? decodeRare(frame) : { type, channelId, methodId, params };
    }
    default:
      return decodeRare(frame);
  }
}

/** The parameters of the methods that come for each message; undefined for others. */
function paramsOf(methodId: number, payload: Buffer): object | undefined {
  if (methodId === Cmd.BasicAck) {
    return { deliveryTag: Number(payload.readBigUInt64BE(4)), multiple: payload[12] === 1 };
  }
  if (methodId !== Cmd.BasicDeliver) return undefined;
  const tagEnd = 5 + (payload[4] ?? 0);
  const exchangeEnd = tagEnd + 10 + (payload[tagEnd + 9] ?? 0);
  return {
    consumerTag: payload.toString("utf8", 5, tagEnd),
    deliveryTag: Number(payload.readBigUInt64BE(tagEnd)),
    redelivered: payload[tagEnd + 8] === 1,
    exchange: payload.toString("utf8", tagEnd + 10, exchangeEnd),
    routingKey: payload.toString("utf8", exchangeEnd + 1),
  };
}

/** The client's own decoder reads its frame in two halves. */
function decodeRare(frame: Buffer): Promise<object> {
  let at = 0;
  return client.decodeFrame(async (bytes) => {
    at += bytes;
    return frame.subarray(at - bytes, at);
  });
}

/** Messages as one buffer. `longest` is the payload of a frame. */
export function encodeMessages(
  channelId: number,
  messages: readonly RawPublish[],
  longest: number,
): Buffer {
  const parts: Buffer[] = [];
  // Most messages of a batch have one of a few routing keys.
  const methods = new Map<string, Buffer>();
  for (const { exchange, routingKey, mandatory, properties, body } of messages) {
    const key = `${mandatory} ${exchange} ${routingKey}`;
    let method = methods.get(key);
    if (method === undefined) {
      const params = { rsvp1: 0, exchange, routingKey, mandatory };
      method = client.encodeFrame({
        type: FrameType.METHOD,
        channelId,
        methodId: Cmd.BasicPublish,
        params,
      });
      methods.set(key, method);
    }
    parts.push(method, headerStart(channelId, properties, body.length), properties, endMark);
    for (let from = 0; from < body.length; from += longest) {
      const payload = body.subarray(from, from + longest);
      parts.push(frameStart(FrameType.BODY, channelId, payload.length), payload, endMark);
    }
  }
  return Buffer.concat(parts);
}

const endMark = Buffer.from([frameEnd]);

function frameStart(type: number, channelId: number, size: number): Buffer {
  const start = Buffer.allocUnsafe(7);
  start.writeUInt8(type, 0);
  start.writeUInt16BE(channelId, 1);
  start.writeUInt32BE(size, 3);
  return start;
}

/** The header frame up to its properties. */
function headerStart(channelId: number, properties: Buffer, bodySize: number): Buffer {
  const start = Buffer.allocUnsafe(19);
  start.writeUInt8(FrameType.HEADER, 0);
  start.writeUInt16BE(channelId, 1);
  start.writeUInt32BE(12 + properties.length, 3);
  // Class "basic", weight 0.
  start.writeUInt32BE(0x003c_0000, 7);
  start.writeUInt32BE(0, 11);
  start.writeUInt32BE(bodySize, 15);
  return start;
}
