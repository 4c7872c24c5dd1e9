import type { TokenSource } from "../session/session.ts";
import { parseFrame } from "./frame.ts";
import type { FeedEvent } from "./order-feed.ts";

/** Code with which the hub closes a connection whose token has expired. */
const tokenExpiredCode = 4401;

/** Time-out for opening a connection, in milliseconds. */
const openTimeoutMs = 8_000;

interface SocketOptions {
  readonly session: TokenSource;
  readonly ended: AbortSignal;
  readonly happened: (event: FeedEvent) => void;
}

/**
 * Opens a socket with the session's token, that lives until `ended`; returns the function that sends on it. Closing by
 * `ended` is not reported.
 */
export function openSocket(options: SocketOptions): (text: string) => void {
  let socket: WebSocket | undefined;
  // Neither this nor `renew` rejects.
  void options.session.token().then((token) => {
    if (!options.ended.aborted) socket = connect(token, options);
  });
  return (text) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(text);
  };
}

function connect(
  token: string | undefined,
  { session, ended, happened }: SocketOptions,
): WebSocket {
  const url = new URL("/ws", location.href.replace(/^http/, "ws"));
  // A browser sends no headers of a page's choice with a WebSocket; subprotocols are what it can say.
  const protocols = token === undefined ? [] : ["smartcart", `smartcart.bearer.${token}`];
  const socket = new WebSocket(url, protocols);
  const openTimer = setTimeout(() => socket.close(), openTimeoutMs);
  const listen = <K extends keyof WebSocketEventMap>(
    type: K,
    listener: (event: WebSocketEventMap[K]) => void,
  ) => socket.addEventListener(type, listener, { signal: ended });
  listen("open", () => {
    clearTimeout(openTimer);
    happened({ kind: "opened" });
  });
  listen("message", ({ data }) => happened({ kind: "frame", frame: parseFrame(String(data)) }));
  listen("close", ({ code }) => {
    clearTimeout(openTimer);
    if (code !== tokenExpiredCode) return happened({ kind: "closed" });
    void session.renew(token).then(() => ended.aborted || happened({ kind: "closed" }));
  });
  // A socket can take minutes to notice that the network is gone; the browser knows immediately.
  addEventListener("offline", () => happened({ kind: "closed" }), { signal: ended });
  ended.addEventListener("abort", () => {
    clearTimeout(openTimer);
    socket.close();
  });
  return socket;
}
