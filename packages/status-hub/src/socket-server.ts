import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import { WebSocketServer } from "ws";
import type { Access } from "@smartcart/identity";
import type { RateLimits } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { createTokenBucket, timerMs } from "@smartcart/runtime";
import type { Admission, Refusal } from "./admission.ts";
import type { HubClient } from "./client.ts";
import { accessRefusal, limitOf, toRefusal, withIdentity } from "./client-access.ts";
import type { ClientIdentity } from "./client-identity.ts";
import { selectSubprotocol } from "./client-identity.ts";
import { startHeartbeat } from "./heartbeat.ts";
import type { Hub } from "./hub.ts";
import { rejectUpgrade } from "./reject-upgrade.ts";
import { errorFrame } from "./server-frames.ts";
import type { ClosableSocketSender } from "./socket-sender.ts";
import { createSocketSender } from "./socket-sender.ts";
import { createWriteTurn } from "./write-turn.ts";

/** What the sockets are bound by. */
export interface SocketServerOptions {
  readonly hub: Hub;
  /** How clients are authenticated, and which are trusted without proof. */
  readonly access: Access;
  readonly admission: Admission;
  readonly log: Logger;
  readonly heartbeatMs: number;
  readonly maxBufferedBytes: number;
  /** Frames that a client may send at once; a twentieth of it a second on average. */
  readonly frameBurst: number;
  /** Count frames as requests of the client's address and of its person. */
  readonly rateLimits: RateLimits;
  /** A client was closed because it was too slow. */
  readonly onSlow: () => void;
}

/** WebSockets at /ws. Disposing closes them with 1001, for the clients to connect elsewhere and resume. */
export interface SocketServer extends AsyncDisposable {
  /** Takes over a connection that asks for an upgrade. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const ownPath = "/ws";
/** Longest frame of a client: some 40 subscriptions would fit, and one is sent at a time. */
const maxPayloadBytes = 4096;
const goingAway = 1001;
const policyViolation = 1008;
const internalError = 1011;
/** Of the codes for applications (RFC 6455, 7.4.2), after HTTP's 401. */
const tokenExpired = 4401;

/** Takes no port: the HTTP server hands it upgrades. Disposing closes every socket with 1001 and waits until they are closed. */
export function startSocketServer(o: SocketServerOptions): SocketServer {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxPayloadBytes,
    // Frames are small; a compression context for each of ten thousand sockets is not.
    perMessageDeflate: false,
    handleProtocols: selectSubprotocol,
  });
  const heartbeat = startHeartbeat(o.heartbeatMs);
  const open = new Map<WebSocket, ClosableSocketSender>();
  const turn = createWriteTurn();
  let draining = false;

  function accept(socket: WebSocket, request: IncomingMessage, identity: ClientIdentity): void {
    const leave = o.admission.enter(request);
    const { maxBufferedBytes, onSlow } = o;
    const connection = request.socket;
    const sender = createSocketSender(socket, { connection, turn, maxBufferedBytes, onSlow });
    open.set(socket, sender);
    heartbeat.watch(socket);
    const client = o.hub.connect(sender, identity);
    takeFrames(socket, { client, sender, identity, ...o });
    const expiry = closeWhenExpired(sender, identity);
    socket.once("close", () => {
      clearTimeout(expiry);
      open.delete(socket);
      leave();
      o.hub.disconnect(client);
    });
  }

  return {
    upgrade: createUpgrade(server, o, { accept, isDraining: () => draining }),
    async [Symbol.asyncDispose]() {
      draining = true;
      const closed = [...open].map(([socket, sender]) => {
        const ended = new Promise((resolve) => socket.once("close", resolve));
        sender.close(goingAway, "the hub is going away: connect again and resume");
        return ended;
      });
      await Promise.all(closed);
      heartbeat[Symbol.dispose]();
    },
  };
}

/** Admits or refuses a client. Its token is verified only while its address is within the rate limit. */
function createUpgrade(
  server: WebSocketServer,
  o: SocketServerOptions,
  hub: {
    readonly accept: (
      socket: WebSocket,
      request: IncomingMessage,
      identity: ClientIdentity,
    ) => void;
    readonly isDraining: () => boolean;
  },
): SocketServer["upgrade"] {
  return (request, socket, head) => {
    // While its token is verified the socket has no other listener: without this one a client that hangs up would end the process.
    socket.on("error", () => socket.destroy());
    const refuse = (refusal: Refusal) => rejectUpgrade(socket, refusal);
    const address = o.admission.addressOf(request);
    const limited = o.rateLimits.refusalOfAddress(address);
    if (limited) return refuse(toRefusal(limited));
    const letIn = (identity: ClientIdentity) => {
      const refusal =
        refusalOf(request, hub.isDraining()) ??
        o.admission.refusalOf(request) ??
        accessRefusal(identity, o.access);
      if (refusal) return refuse(refusal);
      server.handleUpgrade(request, socket, head, (accepted) =>
        hub.accept(accepted, request, { ...identity, address }),
      );
    };
    void withIdentity(request, o, letIn, refuse);
  };
}

/** Closes the socket when the client's token expires: it comes again with a new one, and resumes. */
function closeWhenExpired(
  sender: ClosableSocketSender,
  { principal }: ClientIdentity,
): NodeJS.Timeout | undefined {
  if (!("expiresAtMs" in principal) || !Number.isFinite(principal.expiresAtMs)) return undefined;
  const close = () => sender.close(tokenExpired, "the access token has expired");
  return setTimeout(close, timerMs(principal.expiresAtMs - Date.now())).unref();
}

/** Hands the frames of one socket to the hub, as many as it may send. */
function takeFrames(
  socket: WebSocket,
  o: Pick<SocketServerOptions, "hub" | "log" | "frameBurst" | "rateLimits"> & {
    readonly identity: ClientIdentity;
    readonly client: HubClient;
    readonly sender: ClosableSocketSender;
  },
): void {
  const { client, sender, identity, rateLimits } = o;
  const frames = createTokenBucket({
    capacity: o.frameBurst,
    refillPerSecond: o.frameBurst / 20,
  });
  const mayReceive = () => {
    if (frames.take() === 0) return true;
    sender.close(policyViolation, "too many frames");
    return false;
  };
  socket.on("message", (data: RawData, isBinary: boolean) => {
    try {
      if (!mayReceive()) return;
      const limited = limitOf(rateLimits, identity);
      if (limited) {
        client.send(errorFrame("RATE_LIMITED", limited.message, "", limited.retryAfterMs));
      } else if (isBinary) client.send(binaryFrame);
      else o.hub.receive(client, data.toString());
    } catch (error) {
      // Last resort: an error that a callback throws would end the process, and every client with it.
      o.log.error("status.frame_failed", { error });
      sender.close(internalError, "the hub failed on a frame: connect again");
    }
  });
  // ws answers it, sixty of them ahead of the client at most.
  socket.on("ping", mayReceive);
  // What is too long, no UTF-8 or broken in another way: ws has answered with the code for it and closes.
  socket.on("error", (error) => o.log.debug("status.socket_failed", { error }));
}

const binaryFrame = errorFrame(
  "INVALID_FRAME",
  "frames are JSON in text messages, not binary ones",
);

function refusalOf({ url }: IncomingMessage, draining: boolean): Refusal | undefined {
  if (URL.parse(url ?? "/", "http://hub")?.pathname !== ownPath) {
    return { status: 404, code: "NOT_FOUND", detail: `The WebSocket is at ${ownPath}.` };
  }
  if (!draining) return undefined;
  const detail = "The hub is shutting down. Connect again.";
  return { status: 503, code: "DRAINING", detail, retryAfterS: 1 };
}
