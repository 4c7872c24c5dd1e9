/**
 * A server for the conformance suite of Connect (`npm run conformance`): its service on this package's port and listener,
 * without the interceptors, whose errors carry details of our own. The suite writes a `ServerCompatRequest` to stdin and
 * reads a `ServerCompatResponse`, each after four bytes of length. The first argument is the suite's contract, as
 * `buf build` writes it.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import type { DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { anyPack, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { ConnectError, createMethodImplSpec } from "@connectrpc/connect";
import type { UniversalHandler, UniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { delay, loopbackProxies, silentLogger } from "@smartcart/runtime";
import { createHttp1Server } from "../../src/http/http1-server.ts";
import type { NodeRequest, NodeResponse } from "../../src/http/node-http.ts";
import { createProtocolMux } from "../../src/http/protocol-mux.ts";
import { createRpcListener } from "../../src/http/rpc-listener.ts";
import { createServedMethod } from "../../src/server/method-handler.ts";

interface Header {
  readonly name: string;
  readonly value: readonly string[];
}

/** What a request of the suite wants as its answer. Unary methods have `response`, streams the two others. */
interface Definition {
  readonly responseHeaders: readonly Header[];
  readonly responseTrailers: readonly Header[];
  readonly responseDelayMs: number;
  readonly response?:
    | { case: "responseData"; value: Uint8Array }
    | { case: "error"; value: SuiteError }
    | { case: undefined };
  readonly responseData?: readonly Uint8Array[];
  readonly error?: SuiteError;
}

interface SuiteError {
  readonly code: number;
  readonly message: string | undefined;
  readonly details: readonly Any[];
}

type SuiteRequest = Message & {
  readonly responseDefinition?: Definition;
  readonly fullDuplex?: boolean;
};

const contract = readFileSync(process.argv[2] ?? "");
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, contract));
const messageOf = (name: string): DescMessage => {
  const desc = registry.getMessage(`connectrpc.conformance.v1.${name}`);
  if (desc === undefined) throw new Error(`the suite's contract has no ${name}`);
  return desc;
};
/** Marks what came without a deadline: the listener gives it one, and the suite asks for that of the client. */
const unboundedHeader = "conformance-unbounded";
const infoSchema = messageOf("ConformancePayload.RequestInfo");

function infoOf(method: DescMethod, context: HandlerContext, requests: readonly Message[]) {
  const query = context.requestMethod === "GET" ? new URL(context.url).searchParams : undefined;
  const asked = context.requestHeader.has(unboundedHeader) ? undefined : context.timeoutMs();
  return create(infoSchema, {
    requestHeaders: headersOf(context.requestHeader),
    requests: requests.map((request) => anyPack(method.input, request)),
    ...(asked !== undefined && { timeoutMs: BigInt(Math.floor(asked)) }),
    ...(query && { connectGetInfo: { queryParams: headersOf(query) } }),
  });
}

function headersOf(entries: Iterable<[string, string]>) {
  return [...entries].map(([name, value]) => ({ name, value: value.split(", ") }));
}

function announce(context: HandlerContext, definition: Definition | undefined): void {
  for (const { name, value } of definition?.responseHeaders ?? []) {
    for (const one of value) context.responseHeader.append(name, one);
  }
  for (const { name, value } of definition?.responseTrailers ?? []) {
    for (const one of value) context.responseTrailer.append(name, one);
  }
}

/** With what the server saw among its details, where no answer has told that yet. */
function errorOf({ code, message, details }: SuiteError, info?: Message): ConnectError {
  const error = new ConnectError(message ?? "", code);
  const all = info === undefined ? details : [...details, anyPack(infoSchema, info)];
  error.details = all.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return error;
}

async function answerOnce(
  method: DescMethod,
  context: HandlerContext,
  requests: readonly SuiteRequest[],
): Promise<object> {
  const definition = requests[0]?.responseDefinition;
  const requestInfo = infoOf(method, context, requests);
  announce(context, definition);
  await delay(definition?.responseDelayMs ?? 0);
  const response = definition?.response;
  if (response?.case === "error") throw errorOf(response.value, requestInfo);
  const data = response?.case === "responseData" ? response.value : new Uint8Array();
  return { payload: { requestInfo, data } };
}

async function* answerMany(
  method: DescMethod,
  context: HandlerContext,
  requests: AsyncIterable<SuiteRequest>,
): AsyncGenerator<object> {
  let definition: Definition | undefined;
  let isFirst = true;
  let sent = 0;
  let seen: SuiteRequest[] = [];
  const next = async () => {
    await delay(definition?.responseDelayMs ?? 0);
    const requestInfo = sent === 0 ? infoOf(method, context, seen) : requestsOnly(method, seen);
    return {
      payload: { requestInfo, data: definition?.responseData?.[sent++] ?? new Uint8Array() },
    };
  };
  const isLeft = () => sent < (definition?.responseData?.length ?? 0);
  let isFullDuplex = false;
  for await (const request of requests) {
    seen.push(request);
    if (isFirst) {
      definition = request.responseDefinition;
      isFullDuplex = request.fullDuplex === true;
      announce(context, definition);
      isFirst = false;
    }
    if (!isFullDuplex) continue;
    if (!isLeft()) break;
    yield await next();
    seen = [];
  }
  while (isLeft()) {
    yield await next();
    seen = [];
  }
  if (definition?.error === undefined) return;
  throw errorOf(definition.error, sent === 0 ? infoOf(method, context, seen) : undefined);
}

function requestsOnly(method: DescMethod, requests: readonly Message[]) {
  return create(infoSchema, { requests: requests.map((one) => anyPack(method.input, one)) });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function* only<T>(item: T): AsyncGenerator<T> {
  yield item;
}

function createHandlers(options: Partial<UniversalHandlerOptions>): UniversalHandler[] {
  const service = registry.getService("connectrpc.conformance.v1.ConformanceService");
  const implemented = service?.methods.filter(({ name }) => name !== "Unimplemented") ?? [];
  return implemented.map((method) => {
    const implementations = {
      unary: (request: SuiteRequest, context: HandlerContext) =>
        answerOnce(method, context, [request]),
      client_streaming: async (requests: AsyncIterable<SuiteRequest>, context: HandlerContext) =>
        answerOnce(method, context, await collect(requests)),
      server_streaming: (request: SuiteRequest, context: HandlerContext) =>
        answerMany(method, context, only(request)),
      bidi_streaming: (requests: AsyncIterable<SuiteRequest>, context: HandlerContext) =>
        answerMany(method, context, requests),
    };
    const spec = createMethodImplSpec(method, implementations[method.methodKind] as never);
    return createServedMethod(spec, options).handler;
  });
}

function readRequest(bytes: Buffer): { readonly messageReceiveLimit: number } {
  const message = bytes.subarray(4, 4 + bytes.readUInt32BE());
  return fromBinary(messageOf("ServerCompatRequest"), message) as never;
}

const [first] = (await once(process.stdin, "data")) as [Buffer];
const { messageReceiveLimit } = readRequest(first);
const handlers = createHandlers({
  acceptCompression: [compressionGzip, compressionBrotli],
  jsonOptions: { registry },
  ...(messageReceiveLimit > 0 && { readMaxBytes: messageReceiveLimit }),
});
const listener = createRpcListener({
  handlers,
  trustedProxies: loopbackProxies,
  log: silentLogger,
});
const onRequest = (req: NodeRequest, res: NodeResponse) => {
  const { headers } = req;
  const isBounded = "grpc-timeout" in headers || "connect-timeout-ms" in headers;
  if (!isBounded) headers[unboundedHeader] = "true";
  if (listener(req, res)) return;
  res.statusCode = 404;
  res.end();
};
const { http1 } = createProtocolMux({
  http1: createHttp1Server({ onRequest, onUpgrade: undefined }),
  onHttp2Request: onRequest,
  trustedProxies: loopbackProxies,
  log: silentLogger,
});
http1.listen(0, "127.0.0.1");
await once(http1, "listening");
const { port } = http1.address() as AddressInfo;
const schema = messageOf("ServerCompatResponse");
const response = toBinary(schema, create(schema, { host: "127.0.0.1", port } as never));
const length = Buffer.alloc(4);
length.writeUInt32BE(response.length);
process.stdout.write(Buffer.concat([length, response]));
