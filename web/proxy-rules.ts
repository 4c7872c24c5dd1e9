/**
 * Which paths of the page's origin belong to a service. The browser talks to one origin only; the dev server and the
 * production web server both forward by this table, so the two cannot drift apart. Plain data, no imports: it runs in
 * Node without a build.
 */

/** The services that the page's origin forwards to. */
export type Upstream = "order" | "inventory" | "status" | "log" | "ops";

/** One row of the table. */
export interface ProxyRule {
  /** Matches the path itself and everything below it ("/orders" matches "/orders/ORD-1", not "/ordersx"). */
  readonly path: string;
  /** The service that answers. */
  readonly upstream: Upstream;
  /** Longest body of a request, in bytes. Default: 256 KiB, what services take of the public. */
  readonly maxBodyBytes?: number;
  /** The path is upgraded to a WebSocket. Default: false. */
  readonly websocket?: boolean;
  /** Paths under this rule that are also pages: a browser that navigates there gets the page. Default: none. */
  readonly pages?: RegExp;
}

/** The table; no two rows match the same path. */
export const proxyRules: readonly ProxyRule[] = [
  { path: "/placeOrder", upstream: "order" },
  // Some paths below are resources only; at every other one a browser gets the page, which may say that there is nothing.
  {
    path: "/orders",
    upstream: "order",
    pages: /^\/orders(?!\/[^/]+\/(?:events|shipment|cancel)\/?$)/,
  },
  { path: "/openapi.json", upstream: "order" },
  { path: "/docs", upstream: "order" },
  { path: "/smartcart.order.v1.OrderService", upstream: "order" },
  { path: "/smartcart.order.v1.OrderAdminService", upstream: "order" },
  { path: "/smartcart.inventory.v1.InventoryService", upstream: "inventory" },
  {
    path: "/smartcart.inventory.v1.CatalogueAdminService",
    upstream: "inventory",
    // A picture: 2,000,000 bytes, and what is around them.
    maxBodyBytes: 2 * 1024 * 1024,
  },
  { path: "/pictures", upstream: "inventory" },
  { path: "/smartcart.log.v1.LogService", upstream: "log" },
  { path: "/smartcart.ops.v1.OpsService", upstream: "ops" },
  { path: "/ops/streams", upstream: "ops", websocket: true },
  { path: "/ws", upstream: "status", websocket: true },
];

/** Where each service listens when nothing else is said. */
export const defaultUpstreamUrls: Readonly<Record<Upstream, string>> = {
  order: "http://127.0.0.1:8080",
  inventory: "http://127.0.0.1:8081",
  status: "http://127.0.0.1:8083",
  log: "http://127.0.0.1:8084",
  ops: "http://127.0.0.1:8087",
};

/**
 * The Content-Security-Policy under which the built page works: nothing inline, and nothing from elsewhere but pictures,
 * which a shop may keep at any HTTPS URL. 'self' covers the WebSocket of the same host.
 *
 * @param connectTo An origin besides the page's own that scripts may call: that of the OpenID provider. Default: none.
 */
export function contentSecurityPolicy(connectTo?: string): string {
  const connect = connectTo === undefined ? "" : `connect-src 'self' ${connectTo}; `;
  return `default-src 'self'; img-src 'self' https:; ${connect}base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors 'none'`;
}

/** What decides where a request goes. */
export interface ProxyRequest {
  /** Path of the request; a query string is ignored. */
  readonly path: string;
  /** Its `Accept` header. A browser navigation names text/html; `fetch` and curl do not. */
  readonly accept?: string | undefined;
}

/**
 * The service that answers a request, or undefined where the page's own server does: with a file of the build where
 * one has that path, else with index.html. Answers under a rule with `pages` differ by `Accept`, so serve the page
 * there with `Vary: Accept` and `Cache-Control: no-cache`.
 */
export function upstreamFor(request: ProxyRequest): Upstream | undefined {
  const path = request.path.split("?", 1)[0] ?? "";
  const rule = ruleFor(path);
  if (rule?.pages?.test(path) && request.accept?.includes("text/html")) {
    return undefined;
  }
  return rule?.upstream;
}

/** Longest body of a request to a path, in bytes. */
export function maxBodyBytesFor(path: string): number {
  return ruleFor(path)?.maxBodyBytes ?? 256 * 1024;
}

function ruleFor(path: string): ProxyRule | undefined {
  return proxyRules.find((row) => path === row.path || path.startsWith(`${row.path}/`));
}

/** Whether a path is upgraded to a WebSocket. */
export function isWebSocketPath(path: string): boolean {
  return proxyRules.some((rule) => rule.websocket === true && rule.path === path);
}

/** Paths that are pages of the site, for a browser that navigates there: those of `parseRoute` in src/route.ts. */
const pagePaths =
  /^\/(?:checkout\/?|ops(?:\/(?:dead-letters|catalogue|log|faults|orders(?:\/[^/]+)?))?\/?|auth\/callback\/?|orders(?:\/[^/]*)?|products\/[^/]+)?$/;

/** The product whose page a path is, still encoded; undefined: it is the page of none. */
export function productOf(path: string): string | undefined {
  return /^\/products\/([^/]+)$/.exec(path)?.[1];
}

/** Whether the site has a page at that path. */
export function isPage(path: string): boolean {
  return pagePaths.test(path);
}
