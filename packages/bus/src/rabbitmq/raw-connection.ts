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
  /** Whether the broker is to return it where no queue takes it. */
  readonly mandatory: boolean;
  /** What `writeProperties` makes. */
  readonly properties: Buffer;
  readonly body: Buffer;
}

/**
 * Publishes in order, by one write, on a channel in confirm mode; resolves when each is answered, and calls `onConfirmed` with the positions
 * of those that the broker confirms. The client makes a write, two promises and four frames of each message by itself.
 */
export async function publishRaw(
  channel: Channel,
  messages: readonly RawPublish[],
  onConfirmed: (index: number) => void,
): Promise<void> {
  if (!channel.active) throw new Error("channel is closed");
  const { _state: state } = channel as unknown as ChannelInside;
  const { promise, resolve } = Promise.withResolvers<void>();
  let open = messages.length;
  const settle = () => {
    open -= 1;
    if (open === 0) resolve();
  };
  // Before they are written: the broker may answer the first one while the last is on its way.
  const first = state.deliveryCount;
  for (const index of messages.keys()) {
    const confirm = () => {
      onConfirmed(index);
      settle();
    };
    state.unconfirmed.set(state.deliveryCount++, { resolve: confirm, reject: settle });
  }
  try {
    const bytes = encodeAll(channel.id, messages, state.maxFrameSize - frameOverhead);
    await state.stream.writeAsync([bytes].values());
  } catch {
    // They may have arrived all the same; nobody will say so.
    for (const index of messages.keys()) {
      if (state.unconfirmed.delete(first + index)) settle();
    }
  }
  if (messages.length > 0) await promise;
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

function encodeAll(channelId: number, messages: readonly RawPublish[], longest: number): Buffer {
  const parts: Buffer[] = [];
  // Most messages of a batch have one of a few routing keys.
  const methods = new Map<string, Buffer>();
  for (const { exchange, routingKey, mandatory, properties, body } of messages) {
    const key = `${mandatory} ${exchange} ${routingKey}`;
    let method = methods.get(key);
    if (method === undefined) {
      const params = { rsvp1: 0, exchange, routingKey, mandatory };
      method = encodeFrame({
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
