import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, StreamResponse } from "@connectrpc/connect";
import type { StreamSocket } from "./stream-socket.ts";
import { createStreamSocket, NoSocketError } from "./stream-socket.ts";

/**
 * Carries the server streams of a window over one WebSocket. A browser has six connections of HTTP/1.1 to an origin for all its
 * windows, and each stream over HTTP holds one; WebSockets are not counted among them. Where none can be opened, streams go over
 * HTTP. Put it last: it sends the headers that the others set.
 *
 * @param url Of the WebSocket: "wss://shop.example/ops/streams".
 */
export function createStreamInterceptor(url: string): Interceptor {
  const socket = createStreamSocket(url);
  return (next) => async (req) => {
    if (!req.stream) return next(req);
    const { service, method } = req;
    const requests: MessageShape<DescMessage>[] = [];
    for await (const request of req.message) requests.push(request);
    const overHttp = () => next({ ...req, message: each(requests) });
    return {
      stream: true,
      service,
      method,
      header: new Headers(),
      trailer: new Headers(),
      message: answers(socket, req, requests, overHttp),
    };
  };
}

async function* answers(
  socket: StreamSocket,
  { method, header, signal }: StreamRequest,
  requests: readonly MessageShape<DescMessage>[],
  overHttp: () => Promise<unknown>,
): AsyncGenerator<MessageShape<DescMessage>> {
  const call = {
    method: `${method.parent.typeName}/${method.name}`,
    request: requests[0] ? toBinary(method.input, requests[0]) : new Uint8Array(),
    authorization: header.get("Authorization") ?? "",
  };
  try {
    for await (const bytes of socket.open(call, signal)) yield fromBinary(method.output, bytes);
  } catch (error) {
    if (!(error instanceof NoSocketError)) throw error;
    yield* ((await overHttp()) as StreamResponse).message;
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
