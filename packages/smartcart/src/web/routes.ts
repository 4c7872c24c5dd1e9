/** Routes requests on the page's port: to the port itself, the page, or one of the services. */
import type { DomainError, NodeRequest, NodeResponse } from "@smartcart/mesh";
import type { Logger, Registry } from "@smartcart/runtime";
import { isLoopback, setSecurityHeaders } from "@smartcart/runtime";
import type { Upstream } from "@smartcart/web/proxy-rules";
import { contentSecurityPolicy, isPage, productOf, upstreamFor } from "@smartcart/web/proxy-rules";
import type { PageFiles } from "./page-files.ts";
import { sendFile } from "./page-files.ts";
import {
  internalProblem,
  malformedTarget,
  misdirected,
  noSuchPath,
  rateLimited,
  readOnly,
  sendProblem,
  serviceIsOff,
} from "./problems.ts";
import type { RequestTarget } from "./request-target.ts";
import { targetOf } from "./request-target.ts";
import type { SignInOptions } from "./sign-in.ts";
import { answerSignIn, isSignInPath } from "./sign-in.ts";
import type { Destination } from "./upstreams.ts";

interface RouteOptions {
  readonly page: PageFiles;
  /** Base URL of each service; an undefined one is off. */
  readonly upstreams: Readonly<Record<Upstream, string | undefined>>;
  /** Whether a `Host` names this server. */
  readonly isMyName: (host: string | undefined) => boolean;
  readonly signIn: SignInOptions;
  /** Whether a path is the page of a product that does not exist. Never rejects. */
  readonly isMissing: (path: string) => Promise<boolean>;
  /** Origins that scripts may call beside the page's own, separated by spaces. */
  readonly connectTo: () => string | undefined;
  /** Counts a request by its client. @returns the error where it is one too many. */
  readonly limit: (request: NodeRequest) => DomainError | undefined;
  readonly metrics: Registry;
  readonly log: Logger;
}

/** Passes a request on to a service. */
export type Pass = (to: Destination) => void;

/**
 * Answers a request, or has it passed on. It is the edge of what strangers send, so it never throws: an error of ours costs
 * this one request its answer.
 */
export type Router = (request: NodeRequest, response: NodeResponse, pass: Pass) => void;

/** Checks the host before anything else, so that another site cannot reach this port by a name of its own (DNS rebinding). */
export function createRouter(o: RouteOptions): Router {
  return (request, response, pass) => {
    try {
      route(o, request, response, pass);
    } catch (error) {
      o.log.error("web.request_failed", { method: request.method, path: pathOf(request), error });
      sendProblem(response, internalProblem);
    }
  };
}

/** Without the query, which may name a customer. */
function pathOf({ url = "" }: NodeRequest): string | undefined {
  return url.split("?", 1)[0];
}

function route(o: RouteOptions, request: NodeRequest, response: NodeResponse, pass: Pass) {
  const target = targetOf(request);
  if (target === undefined) return sendProblem(response, malformedTarget);
  if (!o.isMyName(target.host)) return sendProblem(response, misdirected(target.host ?? ""));
  const { path } = target;
  const limited = probes.has(path) ? undefined : o.limit(request);
  if (limited !== undefined) return sendProblem(response, rateLimited(limited));
  if (isSignInPath(path)) return serveSignIn(o, request, response, path);
  const upstream = upstreamFor({ path, accept: request.headers.accept });
  if (upstream === undefined) return serveHere(o, request, response, target);
  const url = o.upstreams[upstream];
  if (url === undefined) return sendProblem(response, serviceIsOff(upstream));
  pass({
    service: upstream === "status" ? "status-hub" : upstream,
    upstream: new URL(url),
    target,
  });
}

function serveSignIn(
  { signIn, log }: RouteOptions,
  request: NodeRequest,
  response: NodeResponse,
  path: string,
): void {
  answerSignIn(request, response, path, signIn).catch((error: unknown) => {
    log.error("web.request_failed", { method: request.method, path, error });
    sendProblem(response, internalProblem);
  });
}

function serveHere(
  o: RouteOptions,
  request: NodeRequest,
  response: NodeResponse,
  { path }: RequestTarget,
) {
  const isOperation = operations.has(path);
  const file = isPage(path) ? o.page.index : o.page.at(path);
  const policy = contentSecurityPolicy(o.connectTo());
  const isReading = request.method === "GET" || request.method === "HEAD";
  if (!isReading) return sendProblem(response, file || isOperation ? readOnly : noSuchPath);
  if (isOperation) return sendOperation(request, response, path, o);
  if (productOf(path) !== undefined) return serveProduct(o, request, response, { path, policy });
  if (file !== undefined) return sendFile(request, response, { file, status: 200, policy });
  // A person gets the page, which says that there is nothing.
  if (!request.headers.accept?.includes("text/html")) return sendProblem(response, noSuchPath);
  sendFile(request, response, { file: o.page.index, status: 404, policy });
}

/** The page of a product is the same for all; a search engine must not list those that there are not. */
function serveProduct(
  { page, isMissing }: RouteOptions,
  request: NodeRequest,
  response: NodeResponse,
  { path, policy }: { readonly path: string; readonly policy: string },
): void {
  void isMissing(path).then((missing) => {
    sendFile(request, response, { file: page.index, status: missing ? 404 : 200, policy });
  });
}

/** What balancers ask; it is not counted. */
const probes: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);
const operations: ReadonlySet<string> = new Set([...probes, "/metrics"]);

/** The page needs nothing but its files, so it is ready while it lives; the services behind it answer for themselves. */
function sendOperation(
  request: NodeRequest,
  response: NodeResponse,
  path: string,
  { metrics, log }: RouteOptions,
): void {
  setSecurityHeaders(response);
  // The page's port is public; its metrics are for this machine only.
  if (path === "/metrics" && !isFromHere(request)) {
    sendProblem(response, noSuchPath);
    return;
  }
  if (path !== "/metrics") {
    response.setHeader("content-type", "application/json");
    response.end('{"status":"ok"}');
    return;
  }
  metrics.metrics().then(
    (text) => {
      response.setHeader("content-type", metrics.contentType);
      response.end(text);
    },
    (error: unknown) => {
      log.error("web.metrics_failed", { error });
      sendProblem(response, internalProblem);
    },
  );
}

function isFromHere({ socket, headers }: NodeRequest): boolean {
  return isLoopback(socket.remoteAddress ?? "") && headers["x-forwarded-for"] === undefined;
}
