/** The answer to what Node cannot read as a request. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { httpProblem } from "@smartcart/mesh";
import { securityHeaders } from "@smartcart/runtime";
import { headersTooLarge } from "./problems.ts";

const malformed = {
  status: 400,
  code: "REQUEST_MALFORMED",
  title: "The request cannot be read",
  detail: "This is no request of HTTP/1.1 (RFC 9112).",
};

const tooSlow = {
  status: 408,
  code: "REQUEST_TIMEOUT",
  title: "The request came too slowly",
  detail: "The request was not complete in time. Send it again.",
};

const closingMs = 2_000;

/** For the server's event "clientError": a problem where one can be sent, and the end of the connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // It may be in the middle of an answer, which half another one would spoil.
  const isAnswering = "_httpMessage" in socket && socket._httpMessage != null;
  if (!socket.writable || isAnswering || error.code === "ECONNRESET") return void socket.destroy();
  const { status, headers, body } = httpProblem(
    error.code === "HPE_HEADER_OVERFLOW"
      ? headersTooLarge
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? tooSlow
        : malformed,
  );
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(text)}`,
    ...Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}`),
    "connection: close",
  ];
  // The client reads and closes; one that does not is cut off.
  socket.setTimeout(closingMs, () => socket.destroy());
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`);
}
