import type { Message } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { createContextValues } from "@connectrpc/connect";
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { MethodProblems, RestHeader, RestRoute } from "@smartcart/contract";
import type { Logger, Registry } from "@smartcart/runtime";
import { Histogram, withSpan } from "@smartcart/runtime";
import { viaRestKey } from "../context/call-scope.ts";
import type { HttpProblem } from "../errors/problem.ts";
import { HttpProblemError, httpProblem, problemOfError } from "../errors/problem.ts";
import type { NodeRequest, NodeResponse } from "../http/node-http.ts";
import { endWithAnswer } from "../http/send-problem.ts";
import { createSampledLog } from "../telemetry/sampled-log.ts";
import { readBodyText } from "./request-body.ts";
import type { HttpAnswer } from "./rest-answer.ts";
import { successAnswer } from "./rest-answer.ts";
import { buildRequest } from "./rest-request.ts";

/** How REST and RPC share headers. */
export interface RestOptions {
  /** Request headers that are handed to the method. What the method answers in headers is always copied back. */
  readonly headers?: readonly RestHeader[];
  /** For the OpenAPI document: the problems of single methods. */
  readonly problems?: MethodProblems;
  /** Description of the interface in the OpenAPI document, in Markdown. */
  readonly description?: string;
}

/** Hono's bindings to the request and response of Node. */
export type NodeBindings = { Bindings: HttpBindings | Http2Bindings };
/** The application that serves everything but RPC. */
export type HttpApp = Hono<NodeBindings>;
type HttpContext = Context<NodeBindings>;

/** A request with what its path says, and where it is answered. */
interface Exchange {
  readonly req: NodeRequest;
  readonly res: NodeResponse;
  /** Without the query. */
  readonly path: string;
  /** Values of the route's variables, decoded. */
  readonly pathValues: readonly string[];
}

/** Answers a request of one route. Never rejects. */
type Serve = (exchange: Exchange) => Promise<HttpAnswer>;

/** Takes a request on where its target is the path of a route without variables, and nothing else; answers whether it does. */
export type DirectRoutes = (req: NodeRequest, res: NodeResponse) => boolean;

/** What the REST routes work with. */
export interface RestServerOptions {
  /** The service: "order". It names spans. */
  readonly name: string;
  readonly routes: readonly RestRoute[];
  /** Calls the method, through the interceptors of the server. */
  readonly transport: Transport;
  readonly headers: readonly string[];
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly metrics: Registry;
}

/**
 * Adds the routes, and for every path an answer to the verbs that it does not have. Routes whose path is a constant are answered as well,
 * which is how an order is placed: a router and the objects of the web's standard are most of what such a request costs.
 */
export function addRestRoutes(app: HttpApp, o: RestServerOptions): DirectRoutes {
  const durations = httpHistogram(o.metrics);
  const logFailure = createSampledLog(o.log, "http.served");
  const direct = new Map<string, Serve>();
  for (const route of o.routes) {
    const spanName = `${route.verb} ${route.openApiPath}`;
    const answer = async (exchange: Exchange) => {
      const startedAt = performance.now();
      const answered = await answerRoute(exchange, route, o);
      const milliseconds = performance.now() - startedAt;
      const labels = { route: route.openApiPath, method: route.verb, status: answered.status };
      durations.observe(labels, milliseconds / 1000);
      const fields = { ...labels, durationMs: Math.round(milliseconds * 10) / 10 };
      if (answered.status < 400) o.log.debug("http.served", fields);
      else logFailure(`${spanName} ${answered.status}`, fields);
      return answered;
    };
    const serve: Serve = (exchange) => {
      const traceparent = headerOf(exchange.req, "traceparent");
      return withSpan(spanName, { traceparent, service: o.name }, () => answer(exchange));
    };
    if (route.variables.length === 0) direct.set(`${route.verb} ${route.openApiPath}`, serve);
    app.on(route.verb, route.routerPath, async (c) => send(c, await serve(exchangeOf(c, route))));
  }
  for (const [path, verbs] of verbsByPath(o.routes)) {
    allowOnly(app, path, verbs);
  }
  return (req, res) => {
    const serve = direct.get(`${req.method} ${req.url}`);
    if (serve === undefined) return false;
    serve({ req, res, path: req.url ?? "", pathValues: [] })
      .then((answered) => endWithAnswer(res, answered))
      .catch((error: unknown) => {
        o.log.error("http.failed", { path: req.url, error });
        res.destroy();
      });
    return true;
  };
}

function exchangeOf(c: HttpContext, route: RestRoute): Exchange {
  const { incoming: req, outgoing: res } = c.env;
  const pathValues = route.variables.map((_, i) => c.req.param(`p${i}`) ?? "");
  return { req, res, path: c.req.path, pathValues };
}

/** Answers all other verbs at the path with 405 and an `Allow` header. Call it after the routes of the path are added. */
export function allowOnly(app: HttpApp, path: string, verbs: readonly string[]): void {
  const problem = httpProblem({
    status: 405,
    code: "METHOD_NOT_ALLOWED",
    title: "The method is not allowed",
    detail: `This path takes ${verbs.join(" and ")}.`,
    headers: { allow: verbs.join(", ") },
  });
  app.all(path, (c) => sendProblem(c, problem));
}

async function answerRoute(
  exchange: Exchange,
  route: RestRoute,
  o: RestServerOptions,
): Promise<HttpAnswer> {
  try {
    const { req, pathValues } = exchange;
    const body = route.body && (await readBodyText(req, o.maxBodyBytes));
    const query = new URLSearchParams(queryOf(req.url ?? ""));
    return await call(exchange, route, o, buildRequest(route, { pathValues, query, body }));
  } catch (thrown) {
    return problemAnswer(problemOfError(thrown), exchange.path);
  }
}

async function call(
  { req, res }: Exchange,
  route: RestRoute,
  o: RestServerOptions,
  request: Message,
): Promise<HttpAnswer> {
  const contextValues = createContextValues().set(viaRestKey, true);
  const headers = headersFor(req, o.headers);
  const signal = hangUpSignal(res);
  const { method } = route;
  const response = await o.transport.unary(
    method as typeof method & { methodKind: "unary" },
    signal,
    undefined,
    headers,
    request,
    contextValues,
  );
  return successAnswer(route, response.message, response.header);
}

function headersFor(req: NodeRequest, names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = headerOf(req, name.toLowerCase());
    if (value !== undefined) {
      assertSentOnce(req, name, value);
      headers[name] = value;
    }
  }
  return headers;
}

/** Node joins the values of a header that was sent twice; two keys would become a third one. */
function assertSentOnce(req: NodeRequest, name: string, value: string): void {
  if (!value.includes(",")) {
    return;
  }
  const names = req.rawHeaders.filter((_, i) => i % 2 === 0);
  if (names.filter((sent) => sent.toLowerCase() === name.toLowerCase()).length > 1) {
    throw new HttpProblemError({
      status: 400,
      code: "DUPLICATE_HEADER",
      title: "Duplicate header",
      detail: `The header ${name} was sent more than once. Send it once.`,
    });
  }
}

function headerOf(req: NodeRequest, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === "string" ? value : undefined;
}

/** Aborted when the client hangs up before it has its answer. */
function hangUpSignal(res: NodeResponse): AbortSignal {
  const hangUp = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) {
      hangUp.abort();
    }
  });
  return hangUp.signal;
}

function queryOf(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? "" : url.slice(at + 1);
}

function problemAnswer(problem: HttpProblem, path: string): HttpAnswer {
  const body = JSON.stringify({ ...problem.body, instance: path });
  return { status: problem.status, headers: { ...problem.headers }, body };
}

/** Answers a request with a problem. */
export function sendProblem(c: HttpContext, problem: HttpProblem): Response {
  return send(c, problemAnswer(problem, c.req.path));
}

function send(c: HttpContext, { body, status, headers }: HttpAnswer): Response {
  return c.body(body, status as ContentfulStatusCode, headers);
}

function verbsByPath(routes: readonly RestRoute[]): Map<string, string[]> {
  const verbs = new Map<string, string[]>();
  for (const { routerPath, verb } of routes) {
    verbs.set(routerPath, [...(verbs.get(routerPath) ?? []), verb]);
  }
  return verbs;
}

function httpHistogram(registry: Registry) {
  return new Histogram({
    name: "http_server_duration_seconds",
    help: "Time a REST request took",
    labelNames: ["route", "method", "status"] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
}
