import type { DescService } from "@bufbuild/protobuf";
import type { Client, Transport } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { PeerTlsOptions, TlsFiles } from "@smartcart/identity";
import { peerTlsOptions } from "@smartcart/identity";
import type { Logger, Registry } from "@smartcart/runtime";
import { batchCalls } from "../batch/batching-client.ts";
import { createPolicyTransport } from "./policy-transport.ts";
import { SessionManager } from "./session-manager.ts";

/** The address of a service, and the identity of its caller. */
export interface ServiceClientOptions {
  /** The calling service: "order". */
  readonly caller: string;
  /** Base URL of the service, "http://127.0.0.1:8081". Either this or `transport`. */
  readonly baseUrl?: string;
  /** The `transport` of a server in the same process. */
  readonly transport?: Transport;
  /**
   * Name of the service that is called: "inventory". It must prove that it is, where there are certificates, and only it takes the
   * caller's token. Default: the second part of the contract's name, `smartcart.inventory.v1`.
   */
  readonly audience?: string | undefined;
  /** Certificates for a `baseUrl` with https. Default: the system's authorities decide, and the caller shows none. */
  readonly tls?: TlsFiles | undefined;
  readonly log: Logger;
  /** The mesh's secret, with which the calls are signed. */
  readonly meshSecret?: string | undefined;
  /** Where durations and batch sizes are counted; default: nowhere. */
  readonly metrics?: Registry;
}

/** A client; disposing closes its connection. A client that is not disposed of does not keep the process alive. */
export type ServiceClient<S extends DescService> = Client<S> & Disposable;

/** Longest answer in bytes. */
const readMaxBytes = 16 * 1024 * 1024;

/**
 * A client that keeps to the contract: each call has the deadline of its method (or what is left of the call that it is
 * made from), is repeated and batched where the method says so, and carries trace and identity. Its errors are
 * ConnectErrors; read them with `problemOf` and `detailOf`. One connection is kept, and opened again when it breaks.
 */
export function createServiceClient<S extends DescService>(
  service: S,
  o: ServiceClientOptions,
): ServiceClient<S> {
  const audience = o.audience ?? service.typeName.split(".")[1] ?? "";
  const connection = o.transport
    ? { transport: o.transport, close() {} }
    : connect(o, service, audience);
  const transport = createPolicyTransport(connection.transport, {
    caller: o.caller,
    audience,
    log: o.log,
    meshSecret: o.meshSecret,
    metrics: o.metrics,
  });
  const client = batchCalls(createClient(service, transport), service, o.metrics);
  return Object.assign(client, { [Symbol.dispose]: connection.close });
}

interface Connection {
  readonly transport: Transport;
  close(): void;
}

function connect(
  { baseUrl, tls }: ServiceClientOptions,
  service: DescService,
  audience: string,
): Connection {
  if (baseUrl === undefined) {
    throw new Error(`the client of ${service.typeName} needs a baseUrl or a transport`);
  }
  const open = () => openConnection(baseUrl, tls && peerTlsOptions(tls.current(), audience));
  let current = open();
  const replaced: Connection[] = [];
  // Calls under way go on where they are; a connection that is used no more is closed for being idle.
  const stop = tls?.onRenewed(() => {
    replaced.push(current);
    if (replaced.length > maxReplaced) replaced.shift()?.close();
    current = open();
  });
  return {
    transport: {
      unary: (...args) => current.transport.unary(...args),
      stream: (...args) => current.transport.stream(...args),
    },
    close() {
      stop?.();
      for (const connection of [...replaced, current]) connection.close();
    },
  };
}

/** Connections with earlier certificates that may still have calls under way. */
const maxReplaced = 4;

function openConnection(baseUrl: string, tlsOptions: PeerTlsOptions | undefined): Connection {
  // Pings find out about a dead peer; idle connections need none.
  const pings = { pingIntervalMs: 10_000, pingTimeoutMs: 5000 };
  const sessionManager = new SessionManager(baseUrl, pings, tlsOptions);
  const transport = createConnectTransport({
    baseUrl,
    httpVersion: "2",
    useBinaryFormat: true,
    readMaxBytes,
    // Within a data centre bytes are cheaper than the CPU time of compression.
    acceptCompression: [],
    sessionManager,
  });
  return { transport, close: () => sessionManager.abort() };
}
