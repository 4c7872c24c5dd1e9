/** Lets connections in that speak TLS, with the certificates of the moment. */
import type { Socket } from "node:net";
import type { SecureContext, SecureContextOptions, TLSSocket } from "node:tls";
import { createSecureContext, createServer } from "node:tls";
import type { KeyPair, TlsFiles, TlsMaterial } from "@smartcart/identity";
import { isCertificateName } from "@smartcart/identity";
import type { Logger } from "@smartcart/runtime";
import { createThrottle } from "@smartcart/runtime";
import { httpProblem } from "../errors/problem.ts";
import { noteCaller } from "./peer-service.ts";
import { rejectUpgradeWith } from "./send-problem.ts";

/** What a front works with. */
export interface TlsFrontOptions {
  readonly files: TlsFiles;
  readonly log: Logger;
  /** Takes a connection whose handshake is done, in the place of the one that was given. */
  readonly serve: (secure: TLSSocket, plain: Socket) => void;
}

/** Longest time for a handshake. */
const handshakeTimeoutMs = 10_000;
const logIntervalMs = 10_000;
/** The first byte of a TLS record that begins a handshake (RFC 8446, 5.1). */
const handshakeRecord = 0x16;

/**
 * Takes a connection of which `first` was read, and put back. What is no TLS gets an answer in plain HTTP/1.1 that says so, where
 * it looks like a request, and is closed. Connections that are open when certificates are renewed go on.
 */
export function createTlsFront(o: TlsFrontOptions): (socket: Socket, first: Buffer) => void {
  let contexts = contextsOf(o.files.current());
  o.files.onRenewed(() => {
    contexts = contextsOf(o.files.current());
    server.setSecureContext(contexts.publicOptions);
  });
  const server = createServer({
    ...contexts.publicOptions,
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: handshakeTimeoutMs,
    // Only the certificates of services are asked for, and browsers have none of their authority. A client without one is let in as a client.
    requestCert: contexts.asksForCertificates,
    rejectUnauthorized: false,
    SNICallback: (name, done) =>
      done(null, isCertificateName(name) ? contexts.mesh : contexts.public),
  });
  const throttle = createThrottle(logIntervalMs);
  // Node does not tell which connection a secure one is made of.
  const shakingHands = new Map<string, Socket>();
  server.on("secureConnection", (secure) => {
    const plain = shakingHands.get(endsOf(secure));
    if (plain === undefined) return void secure.destroy();
    const refusal = noteCaller(secure);
    const times = refusal === undefined ? 0 : throttle();
    if (times > 0) o.log.warn("tls.certificate_refused", { reason: refusal, times });
    o.serve(secure, plain);
  });
  server.on("tlsClientError", (error, socket) => {
    o.log.debug("tls.handshake_failed", { error });
    socket.destroy();
  });
  return (socket, first) => {
    if (first[0] !== handshakeRecord) return refusePlainText(socket, first);
    const ends = endsOf(socket);
    shakingHands.set(ends, socket);
    socket.once("close", () => shakingHands.delete(ends));
    server.emit("connection", socket);
  };
}

/** No two connections that are open have the same. */
function endsOf({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`;
}

/** The contexts of the moment, made once and not for each connection. */
function contextsOf({ port, mesh }: TlsMaterial) {
  const { authorities: ca, own } = mesh ?? {};
  const [forPublic, forServices] = [port ?? own, own ?? port];
  if (forPublic === undefined || forServices === undefined) {
    throw new Error("a port that speaks TLS needs a certificate");
  }
  const publicOptions = optionsOf(forPublic, ca);
  return {
    publicOptions,
    public: createSecureContext(publicOptions),
    mesh: secureContext(forServices, ca),
    asksForCertificates: ca !== undefined,
  };
}

function secureContext(pair: KeyPair, ca: Buffer | undefined): SecureContext {
  return createSecureContext(optionsOf(pair, ca));
}

function optionsOf({ cert, key }: KeyPair, ca: Buffer | undefined): SecureContextOptions {
  // Without an id, a session with a certificate of the client could not be resumed.
  return { cert, key, sessionIdContext: "smartcart", ...(ca && { ca }) };
}

const plainText = httpProblem({
  status: 400,
  code: "TLS_REQUIRED",
  title: "This port speaks HTTPS",
  detail: "The request came in plain text to a port that speaks TLS only. Use https, or wss.",
});

/** A client of HTTP/2 could not read the answer, and others may speak anything. */
function refusePlainText(socket: Socket, first: Buffer): void {
  socket.on("error", () => socket.destroy());
  if (!/^[A-Z]+ /.test(first.toString("latin1")) || first.toString("latin1").startsWith("PRI ")) {
    socket.destroy();
    return;
  }
  socket.setTimeout(handshakeTimeoutMs, () => socket.destroy());
  socket.resume();
  rejectUpgradeWith(socket, plainText);
}
