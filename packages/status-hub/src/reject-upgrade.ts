import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { securityHeaders } from "@smartcart/runtime";
import type { Refusal } from "./admission.ts";

/** How long a client that was refused may keep its side of the connection open. */
const lingerMs = 2000;

/** Answers a request for an upgrade with application/problem+json (RFC 9457) and closes the connection. */
export function rejectUpgrade(socket: Duplex, refusal: Refusal): void {
  const title = STATUS_CODES[refusal.status] ?? "Refused";
  const type = `urn:smartcart:problem:${refusal.code.toLowerCase().replaceAll("_", "-")}`;
  const { status, detail, code } = refusal;
  const body = JSON.stringify({ type, title, status, detail, code });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(refusal.retryAfterS === undefined ? [] : [`Retry-After: ${refusal.retryAfterS}`]),
    ...(status === 401 ? ["WWW-Authenticate: Bearer"] : []),
    ...Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
  ];
  // A client that hangs up before the answer is no error.
  socket.on("error", () => socket.destroy());
  // Node watches an upgraded connection no more: without this, one that the client never closes is open for ever.
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
