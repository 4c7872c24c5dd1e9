/** The client side of the WebSocket that carries server streams: see `stream_frames.proto`. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { StreamServerFrame } from "@smartcart/gen/mesh/v1/stream_frames_pb";
import {
  StreamClientFrameSchema,
  StreamServerFrameSchema,
} from "@smartcart/gen/mesh/v1/stream_frames_pb";

/** A call of a server stream. */
export interface StreamCall {
  /** "smartcart.ops.v1.OpsService/WatchMesh" */
  readonly method: string;
  readonly request: Uint8Array<ArrayBuffer>;
  /** The header `Authorization`; "" for none. */
  readonly authorization: string;
}

/** One WebSocket, opened for the first stream and closed after the last. */
export interface StreamSocket {
  /**
   * The messages of a stream. Rejects with a ConnectError: UNAVAILABLE where the connection breaks, and `NoSocketError` where it
   * cannot be opened at all.
   */
  open(call: StreamCall, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The WebSocket cannot be opened: something between the page and the service may not let it through. */
export class NoSocketError extends Error {
  override readonly name = "NoSocketError";
}

type Event = StreamServerFrame["event"];
type Action = MessageInitShape<typeof StreamClientFrameSchema>["action"];

interface OpenCall {
  readonly take: (event: Event) => void;
  readonly fail: (error: unknown) => void;
}

/** Connects at the first call. A broken connection fails all of its streams, and the next call opens another one. */
export function createStreamSocket(url: string): StreamSocket {
  const calls = new Map<number, OpenCall>();
  let connected: Promise<WebSocket> | undefined;
  let lastId = 0;

  const failAll = (error: unknown): void => {
    connected = undefined;
    for (const { fail } of calls.values()) fail(error);
    calls.clear();
  };
  const receive = ({ data }: MessageEvent<ArrayBuffer>): void => {
    const { callId, event } = fromBinary(StreamServerFrameSchema, new Uint8Array(data));
    calls.get(callId)?.take(event);
  };
  const send = (callId: number, action: NonNullable<Action>): Promise<void> => {
    connected ??= connect(url, receive, failAll);
    const frame = toBinary(
      StreamClientFrameSchema,
      create(StreamClientFrameSchema, { callId, action }),
    );
    return connected.then((socket) => socket.send(frame));
  };
  const leave = (callId: number): void => {
    // Not among them: the server has ended it, or the connection is gone.
    if (!calls.delete(callId) || connected === undefined) return;
    if (calls.size > 0) send(callId, { case: "cancel", value: {} }).catch(() => {});
    else closeIdle();
  };
  const closeIdle = (): void => {
    connected?.then((socket) => socket.close()).catch(() => {});
    connected = undefined;
  };

  return {
    async *open(call, signal) {
      signal.throwIfAborted();
      lastId += 1;
      const callId = lastId;
      const events = createEventQueue();
      calls.set(callId, events);
      const onAbort = (): void => events.fail(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        send(callId, { case: "open", value: call }).catch(events.fail);
        for await (const event of events) {
          if (event.case === "message") yield event.value;
          if (event.case !== "end") continue;
          if (event.value.code === 0) return;
          throw new ConnectError(event.value.error, event.value.code as Code);
        }
      } finally {
        signal.removeEventListener("abort", onAbort);
        leave(callId);
      }
    },
  };
}

/** Resolves when it is open. `onEnd` is called once when it has ended, with why. */
function connect(
  url: string,
  onMessage: (event: MessageEvent<ArrayBuffer>) => void,
  onEnd: (error: unknown) => void,
): Promise<WebSocket> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  return new Promise((resolve, reject) => {
    let wasOpen = false;
    socket.addEventListener("open", () => {
      wasOpen = true;
      resolve(socket);
    });
    socket.addEventListener("message", onMessage);
    socket.addEventListener("close", () => {
      const error = wasOpen
        ? new ConnectError("the connection broke", Code.Unavailable)
        : new NoSocketError("the WebSocket cannot be opened");
      reject(error);
      onEnd(error);
    });
  });
}

/** Events in the order in which they came; after `fail` it rejects. */
function createEventQueue(): OpenCall & AsyncIterable<Event> {
  const waiting: Event[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake: () => void = () => {};
  return {
    take(event) {
      waiting.push(event);
      wake();
    },
    fail(error) {
      failure ??= { error };
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const next = waiting.shift();
        if (next) yield next;
        else if (failure) throw failure.error;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
