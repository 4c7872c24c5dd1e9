/**
 * An ops service and a central log that say what a script wants, with the built page in front of them: for
 * what is hard to bring about on a running SmartCart, for pictures that are always the same, and for measuring.
 * Everything else that the page calls is answered with 503.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { Readable } from "node:stream";
import type { ConnectRouter } from "@connectrpc/connect";
import { createConnectRouter } from "@connectrpc/connect";
import { createFetchHandler } from "@connectrpc/connect/protocol";
import { contentSecurityPolicy } from "../proxy-rules.ts";
import type { FakeMeshOptions } from "./fake-mesh.ts";
import { createFakeMesh } from "./fake-mesh.ts";

export interface FakeOpsOptions extends FakeMeshOptions {
  /** Folder of the built page. */
  readonly page: string;
  /** Default: any free one. */
  readonly port?: number;
}

/** A running fake. */
export interface FakeOps extends AsyncDisposable {
  readonly url: string;
  /** Breaks all streams, and refuses calls until it is called with false. */
  cut(isCut: boolean): void;
}

type Handler = (request: Request) => Promise<Response>;

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

export async function startFakeOps(options: FakeOpsOptions): Promise<FakeOps> {
  const mesh = createFakeMesh(options);
  const handlers = handlersOf(mesh.routes);
  const open = new Set<ServerResponse>();
  let isCut = false;

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://page").pathname;
    const handler = handlers.get(path);
    if (!handler) return void servePage(options.page, path, request, response);
    if (isCut) return void request.socket.destroy();
    open.add(response);
    response.once("close", () => open.delete(response));
    answer(handler, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut(next) {
      isCut = next;
      if (isCut) for (const response of open) response.destroy();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function handlersOf(routes: (router: ConnectRouter) => void): ReadonlyMap<string, Handler> {
  const router = createConnectRouter();
  routes(router);
  return new Map(
    router.handlers.map((handler) => [
      handler.requestPath,
      createFetchHandler(handler, { httpVersion: "1.1" }),
    ]),
  );
}

async function answer(
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const answered = await handler(
    new Request(new URL(request.url ?? "/", "http://page"), {
      method: request.method ?? "POST",
      headers: request.headers as Record<string, string>,
      ...(request.method === "POST" && { body: Readable.toWeb(request) as ReadableStream }),
      duplex: "half",
      signal: gone.signal,
    } as RequestInit),
  );
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.flushHeaders();
  for await (const chunk of answered.body ?? []) {
    if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
  }
  response.end();
}

async function servePage(
  page: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const file = join(page, normalize(path));
  const isFile = (await stat(file).catch(() => undefined))?.isFile() ?? false;
  const isPage = request.headers.accept?.includes("text/html") ?? false;
  if (!isFile && !isPage) return void response.writeHead(503).end();
  const served = isFile ? file : join(page, "index.html");
  response.writeHead(200, {
    "content-type": contentTypes[extname(served)] ?? "application/octet-stream",
    "content-security-policy": contentSecurityPolicy(),
  });
  createReadStream(served).pipe(response);
}
