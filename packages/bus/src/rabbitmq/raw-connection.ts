/**
 * The client, but for two things that it has no option for: what is received keeps its bytes, and
 * what is sent can have given ones. It turns bodies of text and JSON into values and headers into
 * objects, by which both lose what they were; a header table nested deep enough ends its connection,
 * again and again, since the message comes back.
 *
 * All that we reach of its inside stands in this file. The version of the client is pinned, and
 * `test/dead-letter-bytes.test.ts` fails where a new one has another inside.
 */
import type { Channel } from "rabbitmq-client";
import { Connection } from "rabbitmq-client";
import codec from "rabbitmq-client/lib/codec.js";
import type { Properties } from "./properties.ts";
import { readProperties } from "./properties.ts";

/** A message as it came in. */
export interface ReceivedMessage {
  readonly deliveryTag: number;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Properties;
  readonly body: Buffer;
}

/** Reads that many bytes of the socket. */
type Read = (bytes: number) => Promise<Buffer>;

interface Frame {
  readonly type: number;
  readonly channelId: number;
}

interface Codec {
  readonly Cmd: Readonly<Record<"BasicPublish", number>>;
  readonly FrameType: Readonly<Record<"METHOD" | "HEADER" | "BODY", number>>;
  decodeFrame(read: Read): Promise<Frame>;
  encodeFrame(frame: object): Buffer;
}

interface ConnectionInside {
  readonly _opt: { frameMax: number };
  readonly _state: { readonly frameMax: number };
  _negotiate(read: Read): Promise<void>;
  _handleChunk(frame: object): void;
}

interface ChannelInside {
  readonly _state: {
    readonly maxFrameSize: number;
    readonly stream: { writeAsync(frames: Iterator<Buffer>): Promise<void> };
    readonly unconfirmed: Map<number, { resolve(): void; reject(error: unknown): void }>;
    deliveryCount: number;
  };
}

const { Cmd, FrameType, decodeFrame, encodeFrame } = codec as unknown as Codec;
const inherited = Connection.prototype as unknown as ConnectionInside;

/** Bytes of a frame around its payload: type, channel and size before it, an end mark after it. */
const frameOverhead = 8;
const frameEnd = 0xce;
/** Longer than any frame that we agree to: `frameMax` in `connection.ts`. */
const longestRead = 1024 * 1024;

/** A connection whose channels receive each message as a `ReceivedMessage`. */
export class RawConnection extends Connection {
  /**
   * Called by the client for each new socket, before it reads frames until that ends. It never gets
   * there: we read them.
   */
  async _negotiate(readSocket: Read): Promise<void> {
    const inside = this as unknown as ConnectionInside;
    const read = bounded(readSocket);
    await inherited._negotiate.call(this, read);
    // Channels go by the option, which the broker may have lowered.
    inside._opt.frameMax = inside._state.frameMax;
    for (;;) inside._handleChunk(await readFrame(read));
  }
}

/**
 * Takes nothing for a frame that is longer than any may be: what answers in another protocol, as HTTP does, begins with what looks like
 * one of a gigabyte, and the socket's own error for that would end the process.
 */
function bounded(read: Read): Read {
  return async (bytes) => {
    if (bytes <= longestRead) return read(bytes);
    const error = new Error(`a frame of ${bytes} bytes: this is not AMQP 0-9-1`);
    throw Object.assign(error, { code: "FRAME_ERROR" });
  };
}

/** The client's types know nothing of what a raw connection receives. */
export function onMessage(handle: (message: ReceivedMessage) => void): (message: unknown) => void {
  return (message) => handle(message as ReceivedMessage);
}

/** Tells of each message that no queue took. */
export function onReturn(
  channel: Channel,
  handle: (message: Pick<ReceivedMessage, "properties">) => void,
): void {
  channel.on("basic.return", (message) => handle(message as unknown as ReceivedMessage));
}

/** Gets one message of a queue, unless that is empty. It stays unanswered. */
export async function getMessage(
  channel: Channel,
  queue: string,
): Promise<ReceivedMessage | undefined> {
  return (await channel.basicGet({ queue })) as unknown as ReceivedMessage | undefined;
}

/** Longest payload of one frame on this connection. */
export function longestPayload(connection: Connection): number {
  return (connection as unknown as ConnectionInside)._opt.frameMax - frameOverhead;
}

/** A message with given properties, byte for byte. */
export interface RawPublish {
  readonly exchange: string;
  readonly routingKey: string;
  /** What `writeProperties` makes. */
  readonly properties: Buffer;
  readonly body: Buffer;
}

/** Publishes as mandatory, on a channel in confirm mode; resolves at the confirm, as `basicPublish` does. */
export async function publishRaw(channel: Channel, message: RawPublish): Promise<void> {
  if (!channel.active) throw new Error("channel is closed");
  const { _state: state } = channel as unknown as ChannelInside;
  await state.stream.writeAsync(frames(channel.id, message, state.maxFrameSize - frameOverhead));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  state.unconfirmed.set(state.deliveryCount++, { resolve, reject });
  await promise;
}

async function readFrame(read: Read): Promise<object> {
  const head = await read(7);
  if (head[0] !== FrameType.HEADER) {
    // The client's own decoder begins at the first byte.
    let first: Buffer | undefined = head;
    return await decodeFrame((bytes) => {
      if (first === undefined) return read(bytes);
      const again = Promise.resolve(first);
      first = undefined;
      return again;
    });
  }
  const payload = await read(head.readUInt32BE(3) + 1);
  if (payload.at(-1) !== frameEnd) throw new Error("a frame from the broker has no end mark");
  const properties = readProperties(payload.subarray(0, -1));
  const bodySize = Number(payload.readBigUInt64BE(4));
  // Without a content type among the fields the client leaves the body alone.
  return { type: head[0], channelId: head.readUInt16BE(1), bodySize, fields: { properties } };
}

function* frames(
  channelId: number,
  { exchange, routingKey, properties, body }: RawPublish,
  longest: number,
): Generator<Buffer> {
  const params = { rsvp1: 0, exchange, routingKey, mandatory: true };
  yield encodeFrame({ type: FrameType.METHOD, channelId, methodId: Cmd.BasicPublish, params });
  yield headerFrame(channelId, properties, body.length);
  for (let from = 0; from < body.length; from += longest) {
    const payload = body.subarray(from, from + longest);
    yield encodeFrame({ type: FrameType.BODY, channelId, payload });
  }
}

function headerFrame(channelId: number, properties: Buffer, bodySize: number): Buffer {
  const head = Buffer.alloc(19);
  head.writeUInt8(FrameType.HEADER, 0);
  head.writeUInt16BE(channelId, 1);
  head.writeUInt32BE(12 + properties.length, 3);
  // Class "basic", weight 0.
  head.writeUInt32BE(0x003c_0000, 7);
  head.writeBigUInt64BE(BigInt(bodySize), 11);
  return Buffer.concat([head, properties, Buffer.from([frameEnd])]);
}
