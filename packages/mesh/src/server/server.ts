import type { AddressInfo } from "node:net";
import type { Transport } from "@connectrpc/connect";
import { certificateName } from "@smartcart/identity";
import type { Logger } from "@smartcart/runtime";
import { loopbackProxies, StartError } from "@smartcart/runtime";
import { createReadiness } from "../health/readiness.ts";
import { createConnectionClose } from "../http/connection-close.ts";
import { createCors } from "../http/cors.ts";
import { createHttpApp } from "../http/http-app.ts";
import type { OnUpgrade } from "../http/http1-server.ts";
import { createHttp1Server } from "../http/http1-server.ts";
import type { NodeRequest, NodeResponse } from "../http/node-http.ts";
import type { ProtocolMux } from "../http/protocol-mux.ts";
import { createProtocolMux } from "../http/protocol-mux.ts";
import type { RequestGate } from "../http/request-gate.ts";
import { createRequestGate } from "../http/request-gate.ts";
import { createRpcListener } from "../http/rpc-listener.ts";
import { endWithProblem, rejectUpgradeWith } from "../http/send-problem.ts";
import { demandTls } from "../http/strict-transport.ts";
import type { RateLimits } from "../limits/rate-limit.ts";
import { createRateLimits } from "../limits/rate-limit.ts";
import { createStreamSockets } from "../streams/stream-sockets.ts";
import { drain } from "./drain.ts";
import type { ServerOptions } from "./server-options.ts";
import type { Serving, Shutdown } from "./serving.ts";
import { createServing } from "./serving.ts";

/** A server that listens. Disposing drains it: see `drain`. */
export interface RunningServer extends AsyncDisposable {
  /** The port it got. */
  readonly port: number;
  /** Base URL, such as "http://127.0.0.1:8080". */
  readonly url: string;
  /** Calls within the process, through the interceptors of this server. */
  readonly transport: Transport;
  status(): "serving" | "draining";
}

const defaultMaxBodyBytes = 256 * 1024;
const defaultDrainMs = 5000;
const defaultDrainNoticeMs = 100;

/**
 * Starts to serve on one port: HTTP/1.1 and HTTP/2, in plain text or with TLS; Connect, gRPC and gRPC-Web; health, reflection, REST.
 * @throws StartError where the port cannot be had; it names `portVariable`.
 */
export async function startServer(o: ServerOptions): Promise<RunningServer> {
  const shutdown: Shutdown = {
    draining: new AbortController(),
    streams: new AbortController(),
    unary: new AbortController(),
    stopped: new AbortController(),
  };
  const maxBodyBytes = o.maxBodyBytes ?? defaultMaxBodyBytes;
  const rateLimits = o.rateLimits ?? createRateLimits({ perAddress: 0, perUser: 0, ...o });
  const serving = createServing(o, maxBodyBytes, rateLimits, shutdown);
  const port = createPort({ ...o, rateLimits }, maxBodyBytes, serving, shutdown);
  const address = await listen(port, o);
  const url = urlOf(o, address.port);
  o.log.info("server.started", { message: `${o.name} listens on ${url}` });

  let ended: Promise<void> | undefined;
  return {
    port: address.port,
    url,
    transport: serving.transport,
    status: () => (shutdown.draining.signal.aborted ? "draining" : "serving"),
    async [Symbol.asyncDispose]() {
      ended ??= drain({
        port,
        shutdown,
        drainMs: o.drainMs ?? defaultDrainMs,
        noticeMs: o.drainNoticeMs ?? defaultDrainNoticeMs,
        inFlight: serving.inFlight,
      }).then(() => o.log.info("server.stopped"));
      await ended;
    },
  };
}

/** RPC first, by its paths; all else is REST and operations. */
function createPort(
  o: ServerOptions & { readonly rateLimits: RateLimits },
  maxBodyBytes: number,
  { handlers, transport, methods }: Serving,
  shutdown: Shutdown,
): ProtocolMux {
  const readiness = createReadiness(o.checks ?? {}, shutdown.draining.signal, o.log);
  const trustedProxies = o.trustedProxies ?? loopbackProxies;
  const http = createHttpApp({ ...o, maxBodyBytes, transport, readiness, trustedProxies });
  const rpc = createRpcListener({ handlers, trustedProxies, log: o.log });
  const ownName = o.tls && certificateName(o.name);
  const gate = createRequestGate({ host: o.host, allowedHosts: o.allowedHosts, ownName });
  const lastOnConnection = createConnectionClose(shutdown.streams.signal);
  const cors = createCors({
    origins: o.corsOrigins ?? [],
    requestHeaders: (o.restOptions?.headers ?? []).map(({ name }) => name),
  });
  const upgrade =
    o.streamSocketPath === undefined
      ? o.onUpgrade
      : createStreamSockets({
          path: o.streamSocketPath,
          methods,
          transport,
          allowedHosts: o.allowedHosts ?? [],
          trustedProxies,
          rateLimits: o.rateLimits,
          shutdown: shutdown.streams.signal,
          log: o.log,
        });
  const markSecure = o.tls === undefined ? () => {} : demandTls;
  const onRequest = (req: NodeRequest, res: NodeResponse) => {
    try {
      if (req.httpVersionMajor === 1) {
        lastOnConnection(res);
      }
      const problem = gate(req);
      markSecure(req, res);
      if (problem !== undefined) {
        endWithProblem(res, problem);
      } else if (!cors(req, res) && !rpc(req, res)) {
        http(req, res);
      }
    } catch (error) {
      // Last resort: an error that a request causes ends its own connection, not the process.
      o.log.error("http.failed", { error });
      res.destroy();
    }
  };
  const onUpgrade = upgrade && guardUpgrade(upgrade, gate, o.log);
  return createProtocolMux({
    http1: createHttp1Server({ onRequest, onUpgrade }),
    onHttp2Request: onRequest,
    trustedProxies,
    tls: o.tls,
    log: o.log,
  });
}

/** As for requests: checks the host, and an error ends this connection only. */
function guardUpgrade(onUpgrade: OnUpgrade, gate: RequestGate, log: Logger): OnUpgrade {
  return (req, socket, head) => {
    try {
      const problem = gate(req);
      if (problem === undefined) onUpgrade(req, socket, head);
      else rejectUpgradeWith(socket, problem);
    } catch (error) {
      log.error("http.failed", { error });
      socket.destroy();
    }
  };
}

/** Why a port cannot be had, in words, by Node's error code. */
const listenProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken by another process",
  EACCES: "may not be used by this user",
  EADDRNOTAVAIL: "cannot be had: the address is not one of this machine",
};

/**
 * Connections that the kernel keeps until they are accepted, up to its own limit (`somaxconn`, 4096 on Linux). With Node's 511 a
 * burst of strangers fills the line, and who comes then is heard when they ask a second time: after a second.
 */
export const listenBacklog = 4096;

async function listen({ http1 }: ProtocolMux, o: ServerOptions): Promise<AddressInfo> {
  const listening = Promise.withResolvers<void>();
  http1.once("error", listening.reject).once("listening", listening.resolve);
  http1.listen({ port: o.port, host: o.host, backlog: listenBacklog });
  try {
    await listening.promise;
  } catch (cause) {
    const problem = listenProblems[(cause as NodeJS.ErrnoException).code ?? ""];
    if (problem === undefined) {
      throw cause;
    }
    throw new StartError(
      `${o.name} cannot listen on ${o.host}:${o.port}: the port ${problem}. Set ${o.portVariable} to a free port, or stop the process that uses it.`,
      { variable: o.portVariable, cause },
    );
  }
  http1.off("error", listening.reject);
  return http1.address() as AddressInfo;
}

/** The URL by which this machine reaches the server. */
function urlOf({ host, tls }: ServerOptions, port: number): string {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `${tls === undefined ? "http" : "https"}://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
