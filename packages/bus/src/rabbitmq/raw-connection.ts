/**
 * The client with two changes that it has no options for: a received message keeps its bytes, and a
 * sent one can have given bytes. The client decodes text and JSON bodies and headers, which loses the
 * original bytes, and a deeply nested header table ends its connection again at each redelivery.
 *
 * Only this file and `frames.ts` use internals of the client. Its version is pinned, and
 * `test/dead-letter-bytes.test.ts` fails if a new version has changed them.
 */
import type { Channel } from "rabbitmq-client";
import { Connection } from "rabbitmq-client";
import type { RawPublish, Read } from "./frames.ts";
import { checkFrameLength, encodeMessages, frameOverhead, readFrame } from "./frames.ts";
import type { Properties } from "./properties.ts";

/** A message as it came in. */
export interface ReceivedMessage {
  readonly deliveryTag: number;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Properties;
  readonly body: Buffer;
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

const inherited = Connection.prototype as unknown as ConnectionInside;

/** A connection whose channels receive each message as a `ReceivedMessage`. */
export class RawConnection extends Connection {
  /**
   * Called by the client for each new socket, before it reads frames until that ends. This method
   * reads them instead, and rejects when the socket has ended.
   */
  async _negotiate(readSocket: Read): Promise<void> {
    const inside = this as unknown as ConnectionInside;
    const read: Read = async (bytes) => readSocket(checkFrameLength(bytes));
    await inherited._negotiate.call(this, read);
    // Channels go by the option, which the broker may have lowered.
    inside._opt.frameMax = inside._state.frameMax;
    for (;;) inside._handleChunk(await readFrame(read));
  }
}

/** A cast: the client's types do not know what a raw connection receives. */
export function onMessage(handle: (message: ReceivedMessage) => void): (message: unknown) => void {
  return (message) => handle(message as ReceivedMessage);
}

/** Calls back for each message that no queue took. */
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
    const bytes = encodeMessages(channel.id, messages, state.maxFrameSize - frameOverhead);
    await state.stream.writeAsync([bytes].values());
  } catch {
    // They may have arrived, but no confirm will come.
    for (const index of messages.keys()) {
      if (state.unconfirmed.delete(first + index)) settle();
    }
  }
  if (messages.length > 0) await promise;
}
