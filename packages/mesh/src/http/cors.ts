import { cors } from "@connectrpc/connect";
import { setSecurityHeaders } from "@smartcart/runtime";
import type { NodeRequest, NodeResponse } from "./node-http.ts";

const allowedMethods = [...cors.allowedMethods, "PUT", "PATCH", "DELETE"].join(", ");
const maxAgeSeconds = 7200;

/** What browsers of other origins may do. */
export interface CorsOptions {
  /** Allowed origins, such as "http://localhost:5173"; "*" allows all. */
  readonly origins: readonly string[];
  /** Request headers beside those of Connect and gRPC-Web. */
  readonly requestHeaders: readonly string[];
}

/** Headers of ours that a page may read. */
const exposedHeaders = [
  ...cors.exposedHeaders,
  "Location",
  "Retry-After",
  "Idempotency-Replayed",
].join(", ");

/** Answers preflight requests, then returning true, and marks all other answers (Fetch standard, CORS protocol). */
export function createCors(o: CorsOptions): (req: NodeRequest, res: NodeResponse) => boolean {
  const any = o.origins.includes("*");
  const origins = new Set(o.origins);
  const allowedHeaders = [...cors.allowedHeaders, ...o.requestHeaders, "traceparent"].join(", ");

  return (req, res) => {
    const { origin } = req.headers;
    if (origins.size === 0 || origin === undefined) {
      return false;
    }
    res.setHeader("vary", "Origin");
    if (!any && !origins.has(origin)) {
      return false;
    }
    res.setHeader("access-control-allow-origin", any ? "*" : origin);
    res.setHeader("access-control-expose-headers", exposedHeaders);
    if (req.method !== "OPTIONS" || req.headers["access-control-request-method"] === undefined) {
      return false;
    }
    res.setHeader("access-control-allow-methods", allowedMethods);
    res.setHeader("access-control-allow-headers", allowedHeaders);
    res.setHeader("access-control-max-age", `${maxAgeSeconds}`);
    setSecurityHeaders(res);
    res.statusCode = 204;
    res.end();
    return true;
  };
}
