/** Error answers of the page's own server: application/problem+json (RFC 9457). */
import type { DomainError, HttpProblemInit, NodeResponse } from "@smartcart/mesh";
import { httpProblem } from "@smartcart/mesh";
import { securityHeaders } from "@smartcart/runtime";
import { writeHead } from "./write-head.ts";

/** Sends it, or cuts the connection off where another answer has begun. A HEAD gets the headers only. */
export function sendProblem(response: NodeResponse, init: HttpProblemInit): void {
  if (response.headersSent) return void response.destroy();
  const { status, headers, body } = httpProblem(init);
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const bytes = Buffer.from(JSON.stringify(body));
  writeHead(response, status, {
    ...securityHeaders,
    ...headers,
    "content-length": bytes.length,
  });
  response.end(bytes);
}

export const malformedTarget: HttpProblemInit = {
  status: 400,
  code: "TARGET_MALFORMED",
  title: "The request cannot be read",
  detail:
    "The request's target or its Host is malformed. Send a path such as /orders, and one Host.",
};

export const misdirected = (host: string): HttpProblemInit => ({
  status: 421,
  code: "HOST_NOT_ALLOWED",
  title: "This server does not answer to that name",
  detail: `The request is for host "${host.slice(0, 100)}". Use localhost, or add the name to ALLOWED_HOSTS.`,
});

/** More requests than a client may send, as `RateLimits` counted them. */
export const rateLimited = ({
  code,
  title,
  message,
  retryAfterMs,
}: DomainError): HttpProblemInit => ({ status: 429, code, title, detail: message, retryAfterMs });

/** 404 of this server; those of the services are passed on as they are. */
export const noSuchPath: HttpProblemInit = {
  status: 404,
  code: "ROUTE_NOT_FOUND",
  title: "There is no such path",
  detail: "Neither the page nor a service has anything at this path. /docs shows what there is.",
};

export const readOnly: HttpProblemInit = {
  status: 405,
  code: "METHOD_NOT_ALLOWED",
  title: "This path can only be read",
  detail:
    "The page is at this path. Send GET or HEAD, or look at /docs for the path that takes calls.",
  headers: { allow: "GET, HEAD" },
};

export const malformedSignIn: HttpProblemInit = {
  status: 400,
  code: "SIGN_IN_MALFORMED",
  title: "The sign-in cannot be read",
  detail:
    'Send {"name": "Ada"} as application/json: a name of 1 to 64 characters without control characters.',
};

export const bodyTooLarge = (maxBytes: number): HttpProblemInit => ({
  status: 413,
  code: "BODY_TOO_LARGE",
  title: "The request is too large",
  detail: `The body is longer than ${maxBytes} bytes. Nothing was done. Send a shorter one.`,
});

export const headersTooLarge: HttpProblemInit = {
  status: 431,
  code: "HEADERS_TOO_LARGE",
  title: "The request's headers are too large",
  detail: "The headers exceed the limit of this server. Send fewer or shorter ones.",
};

/** The service that should answer is not there now. */
export const upstreamUnavailable: HttpProblemInit = {
  status: 503,
  code: "UPSTREAM_UNAVAILABLE",
  title: "Service unreachable",
  detail:
    "The service did not respond. Retry the same request in one second, with the same Idempotency-Key.",
  retryAfterMs: 1_000,
};

/** The service that should answer does not run here at all. */
export const serviceIsOff = (service: string): HttpProblemInit => ({
  status: 404,
  code: "SERVICE_OFF",
  title: "Service is off",
  detail:
    service === "ops"
      ? "The operations console is off because HOST is not loopback and OPS_TOKEN is not set. Set OPS_TOKEN and restart."
      : `The service "${service}" does not run here.`,
});

/** 500: an error of this server. Only this request fails. */
export const internalProblem: HttpProblemInit = {
  status: 500,
  code: "INTERNAL",
  title: "Internal error",
  detail: "The request failed. The error is logged; retry later.",
};
