import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** A refusal before the upgrade, as HTTP. */
export interface Refusal {
  readonly status: 403 | 404 | 429 | 503;
  readonly code: string;
  /** What to do. */
  readonly detail: string;
  /** When to try again, in seconds. */
  readonly retryAfterS?: number;
}

/** Who may connect. */
export interface AdmissionOptions {
  /** Origins whose pages may connect, or "*" among them for any. Empty: see `isAllowedOrigin`. */
  readonly allowedOrigins: readonly string[];
  readonly maxConnections: number;
  /** Undefined: 1000, and no bound on loopback. */
  readonly maxPerAddress: number | undefined;
}

/** Counts connections and refuses those that are too many or come from a page of another site. */
export interface Admission {
  /** Undefined: welcome. */
  refusalOf(request: IncomingMessage): Refusal | undefined;
  /** Counts a connection; call the answer when it has ended. */
  enter(request: IncomingMessage): () => void;
  readonly connections: number;
}

const DEFAULT_PER_ADDRESS = 1000;

/** An admission that counts nobody yet. */
export function createAdmission(o: AdmissionOptions): Admission {
  const byAddress = new Map<string, number>();
  let connections = 0;

  function boundOf(address: string): number {
    if (o.maxPerAddress !== undefined) return o.maxPerAddress;
    return isLoopback(address) ? Number.POSITIVE_INFINITY : DEFAULT_PER_ADDRESS;
  }

  return {
    get connections() {
      return connections;
    },
    refusalOf(request) {
      if (!isAllowedOrigin(request, o.allowedOrigins)) return foreignOrigin(request);
      if (connections >= o.maxConnections) return full;
      const address = addressOf(request);
      return (byAddress.get(address) ?? 0) >= boundOf(address) ? tooManyOfAddress : undefined;
    },
    enter(request) {
      const address = addressOf(request);
      connections += 1;
      byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
      return () => {
        connections -= 1;
        const left = (byAddress.get(address) ?? 1) - 1;
        if (left === 0) byAddress.delete(address);
        else byAddress.set(address, left);
      };
    },
  };
}

/**
 * Whether a page of that origin may connect: browsers apply no same-origin rule to WebSockets (RFC 6455, 10.2), so the server
 * must. Who sends no Origin is no browser. Without a list, the page must come from the host that is connected to; and where
 * that is a loopback address, its name must be one that no foreign DNS can point here.
 */
export function isAllowedOrigin(
  { headers, socket }: Pick<IncomingMessage, "headers" | "socket">,
  allowed: readonly string[],
): boolean {
  const { origin } = headers;
  if (origin === undefined) return true;
  if (allowed.length > 0) return allowed.includes("*") || allowed.includes(origin);
  const page = URL.parse(origin)?.hostname;
  // Behind the page's proxy, `Host` is the hub's own, and this is what the browser connected to; no page can set it.
  const named = headers["x-forwarded-host"] ?? headers.host ?? "";
  const host = URL.parse(`http://${named}`)?.hostname;
  if (page === undefined || host === undefined) return false;
  if (!isLoopback(socket.localAddress ?? "")) return page === host;
  return isLocalName(page) || (page === host && isAddress(page));
}

function isLocalName(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname.endsWith(".localhost") || isLoopback(unbracket(hostname))
  );
}

function isAddress(hostname: string): boolean {
  return isIP(unbracket(hostname)) !== 0;
}

function unbracket(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}

function addressOf({ socket }: IncomingMessage): string {
  return (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
}

const full: Refusal = {
  status: 503,
  code: "HUB_FULL",
  detail: "The hub has as many connections as it can bear. Connect again later.",
  retryAfterS: 5,
};

const tooManyOfAddress: Refusal = {
  status: 429,
  code: "TOO_MANY_CONNECTIONS",
  detail: "This address has too many connections. Close one; a connection can follow many orders.",
  retryAfterS: 5,
};

function foreignOrigin({ headers }: IncomingMessage): Refusal {
  return {
    status: 403,
    code: "ORIGIN_NOT_ALLOWED",
    detail: `Pages of ${headers.origin} may not connect. Add the origin to STATUS_ALLOWED_ORIGINS.`,
  };
}
