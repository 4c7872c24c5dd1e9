import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { securityHeaders } from "@smartcart/runtime";
import type { HttpProblem } from "../errors/problem.ts";
import type { HttpAnswer } from "../rest/rest-answer.ts";
import type { NodeResponse } from "./node-http.ts";

/** Answers with a problem where nothing but Node's own response is at hand. */
export function endWithProblem(res: NodeResponse, { status, headers, body }: HttpProblem): void {
  endWithAnswer(res, { status, headers: { ...headers }, body: JSON.stringify(body) });
}

/** Answers by Node's own response: headers and body are one write. */
export function endWithAnswer(res: NodeResponse, { status, headers, body }: HttpAnswer): void {
  // Typed as one of two responses, whose signatures differ in what is not used here.
  const response = res as { writeHead(status: number, headers: object): void } & NodeResponse;
  response.writeHead(status, {
    ...securityHeaders,
    ...headers,
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

/** Answers a request for an upgrade with a problem, and closes the connection. */
export function rejectUpgradeWith(socket: Duplex, problem: HttpProblem): void {
  const body = JSON.stringify(problem.body);
  const headers = {
    ...securityHeaders,
    ...problem.headers,
    "content-length": Buffer.byteLength(body),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  // A client that hangs up before the answer is no error.
  socket.on("error", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}\r\n${lines.join("\r\n")}\r\n\r\n${body}`,
  );
}
