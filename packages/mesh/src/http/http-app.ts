import type { DescService } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { getRequestListener, RequestError } from "@hono/node-server";
import { Hono } from "hono";
import { createOpenApi, restRoutes } from "@smartcart/contract";
import type { Logger, Registry, TrustedProxies } from "@smartcart/runtime";
import { setSecurityHeaders } from "@smartcart/runtime";
import { httpProblem, problemOfError } from "../errors/problem.ts";
import type { ReadinessReport } from "../health/readiness.ts";
import type { RateLimits } from "../limits/rate-limit.ts";
import type { DirectRoutes, HttpApp, NodeBindings, RestOptions } from "../rest/rest.ts";
import { addRestRoutes, allowOnly, sendProblem } from "../rest/rest.ts";
import { addSwaggerUi } from "../rest/swagger-ui.ts";
import { clientOf } from "./client-of.ts";
import type { NodeRequest, NodeResponse } from "./node-http.ts";
import { probes } from "./request-gate.ts";
import { endWithProblem } from "./send-problem.ts";

/** What is served beside RPC. */
export interface HttpAppOptions {
  readonly name: string;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly readiness: () => Promise<ReadinessReport>;
  readonly rest?: readonly DescService[];
  readonly restOptions?: RestOptions;
  readonly transport: Transport;
  readonly maxBodyBytes: number;
  /** Count every request by the address of the client; the probes of balancers are not counted. */
  readonly rateLimits: RateLimits;
  readonly trustedProxies: TrustedProxies;
  readonly extraRoutes?: (app: Hono) => void;
}

/** Operations, REST and documentation, all on Hono. */
export function createHttpApp(o: HttpAppOptions): (req: NodeRequest, res: NodeResponse) => void {
  const app: HttpApp = new Hono<NodeBindings>();
  addOperations(app, o);
  const direct = o.rest && addRest(app, o, o.rest);
  o.extraRoutes?.(app as unknown as Hono);
  app.notFound((c) =>
    sendProblem(
      c,
      httpProblem({
        status: 404,
        code: "ROUTE_NOT_FOUND",
        title: "There is no such path",
        detail: o.rest
          ? "There is nothing at this path. /docs shows what there is."
          : "There is nothing at this path.",
      }),
    ),
  );
  app.onError((error, c) => {
    o.log.error("http.failed", { path: c.req.path, error });
    return sendProblem(c, problemOfError(error));
  });
  const listener = getRequestListener(app.fetch, {
    // The port handles the unread rest of a request, for RPC as well.
    autoCleanupIncoming: false,
    errorHandler: (error) => unroutable(error, o.log),
  });
  return (req, res) => {
    const refusal = probes.has(req.url ?? "")
      ? undefined
      : o.rateLimits.refusalOfAddress(clientOf(req, o.trustedProxies));
    if (refusal !== undefined) return endWithProblem(res, problemOfError(refusal));
    if (direct?.(req, res)) return;
    setSecurityHeaders(res);
    void listener(req, res);
  };
}

/** The answer where there is no request for a route to be found with. */
function unroutable(error: unknown, log: Logger): Response {
  const isClients = error instanceof RequestError;
  if (!isClients) log.error("http.failed", { error });
  const { status, headers, body } = isClients ? badTarget : problemOfError(error);
  return new Response(JSON.stringify(body), { status, headers });
}

const badTarget = httpProblem({
  status: 400,
  code: "BAD_TARGET",
  title: "The request is malformed",
  detail: "The path of the request cannot be read as a URL. Correct it and send it again.",
});

function addOperations(app: HttpApp, o: HttpAppOptions): void {
  const readiness = shared(o.readiness);
  const metrics = shared(async () => Buffer.from(await o.metrics.metrics()));
  // Alive means that the process answers at all; a service that waits for its database is alive and not ready.
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    const report = await readiness();
    return c.json(report, report.status === "ready" ? 200 : 503);
  });
  app.get("/metrics", async (c) =>
    c.body(await metrics(), 200, { "content-type": o.metrics.contentType }),
  );
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    allowOnly(app, path, ["GET"]);
  }
}

/** Requests that arrive during a run share it, and share one copy of its result. */
function shared<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
}

function addRest(app: HttpApp, o: HttpAppOptions, services: readonly DescService[]): DirectRoutes {
  const headers = o.restOptions?.headers ?? [];
  const direct = addRestRoutes(app, {
    name: o.name,
    routes: restRoutes(services),
    transport: o.transport,
    headers: ["authorization", ...headers.map(({ name }) => name)],
    maxBodyBytes: o.maxBodyBytes,
    log: o.log,
    metrics: o.metrics,
  });
  const title = `SmartCart ${o.name}`;
  const { description, problems = {} } = o.restOptions ?? {};
  const info = { title, version: "1", headers, problems, ...(description && { description }) };
  const document = Buffer.from(JSON.stringify(createOpenApi(services, info)));
  app.get("/openapi.json", (c) => c.body(document, 200, { "content-type": "application/json" }));
  addSwaggerUi(app, { title });
  return direct;
}
