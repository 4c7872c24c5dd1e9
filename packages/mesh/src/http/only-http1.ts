import type { IncomingMessage, ServerResponse } from "node:http";
import { httpProblem } from "../errors/problem.ts";
import { endWithProblem } from "./send-problem.ts";

const unsupported = httpProblem({
  status: 505,
  code: "HTTP_VERSION_NOT_SUPPORTED",
  title: "The version of HTTP is not supported",
  detail:
    "A connection that does not begin with the preface of HTTP/2 speaks HTTP/1.1 or HTTP/1.0.",
  headers: { connection: "close" },
});

/**
 * Refuses request lines of another version, such as HTTP/0.9 and HTTP/2.0 (RFC 9110, 15.6.6): Node's parser takes them, and all that
 * tells HTTP/1.1 from HTTP/2 by the version of a request would take them for streams of HTTP/2.
 */
export function onlyHttp1(
  onRequest: (req: IncomingMessage, res: ServerResponse) => void,
): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) =>
    req.httpVersionMajor === 1 ? onRequest(req, res) : endWithProblem(res, unsupported);
}
