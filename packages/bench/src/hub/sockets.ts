/** A minimal client for each hub. */
import { io } from "socket.io-client";
import { WebSocket } from "ws";
import { userIdOf } from "./order-book.ts";
import type { Arrival } from "./watch.ts";

export type SocketKind = "ws" | "socket.io";

interface SocketOptions {
  readonly kind: SocketKind;
  /** `http://127.0.0.1:8083` */
  readonly url: string;
  readonly user: number;
  readonly onStatus: (arrival: Arrival) => void;
  /** The connection was closed by the server, failed or broke. */
  readonly onLost: (reason: string) => void;
}

/** Each address of loopback has some 28,000 ports for connections, and a closed one keeps its port for a minute. */
const addresses = 8;

/** Connects and follows the user for as long as the server lets it. */
export function openSocket(o: SocketOptions): void {
  const localAddress = `127.0.0.${2 + (o.user % addresses)}`;
  if (o.kind === "ws") openWebSocket(o, localAddress);
  else openSocketIo(o, localAddress);
}

function openWebSocket(o: SocketOptions, localAddress: string): void {
  const socket = new WebSocket(`${o.url.replace("http", "ws")}/ws`, {
    localAddress,
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });
  const subscribe = JSON.stringify({ subscribe: { userId: userIdOf(o.user) } });
  socket.on("open", () => socket.send(subscribe));
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString());
    if (frame.sequence === undefined) o.onLost(data.toString());
    else o.onStatus(frame);
  });
  // An error is followed by a close.
  socket.on("error", () => {});
  socket.on("close", (code) => o.onLost(`closed with ${code}`));
}

function openSocketIo(o: SocketOptions, localAddress: string): void {
  const socket = io(o.url, {
    transports: ["websocket"],
    forceNew: true,
    reconnection: false,
    auth: { userId: userIdOf(o.user) },
    // Not in its types, but handed on to ws.
    ...{ localAddress },
  });
  socket.on("status", o.onStatus);
  socket.on("connect_error", (error) => o.onLost(error.message));
  socket.on("disconnect", o.onLost);
}
