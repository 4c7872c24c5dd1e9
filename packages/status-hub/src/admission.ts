import type { IncomingMessage } from "node:http";
import { isAllowedOrigin } from "@smartcart/mesh";
import type { TrustedProxies } from "@smartcart/runtime";
import { clientAddress, createHolders, isLoopback } from "@smartcart/runtime";

/** A refusal before the upgrade, as HTTP. */
export interface Refusal {
  readonly status: 401 | 403 | 404 | 429 | 500 | 503;
  readonly code: string;
  /** What to do. */
  readonly detail: string;
  /** When to try again, in seconds. */
  readonly retryAfterS?: number;
}

/** The limits of connections. */
export interface AdmissionOptions {
  /** Origins whose pages may connect, or "*" among them for any. Empty: see `isAllowedOrigin`. */
  readonly allowedOrigins: readonly string[];
  /** Names that this server answers to beside those of this machine: `ALLOWED_HOSTS`. */
  readonly allowedHosts: readonly string[];
  readonly maxConnections: number;
  /** Undefined: 1000, and for a client on this machine half of all connections. */
  readonly maxPerAddress: number | undefined;
  /** Their `X-Forwarded-For` tells clients behind one proxy apart. */
  readonly trustedProxies: TrustedProxies;
}

/** Counts connections and refuses those that are too many or come from a page of another site. */
export interface Admission {
  /** Undefined: welcome. */
  refusalOf(request: IncomingMessage): Refusal | undefined;
  /** Counts a connection; call the answer when it has ended. */
  enter(request: IncomingMessage): () => void;
  readonly connections: number;
  /** Where a request comes from, as its connection is counted. */
  addressOf(request: IncomingMessage): string;
}

const defaultPerAddress = 1000;

/** An admission without connections. */
export function createAdmission(o: AdmissionOptions): Admission {
  const byAddress = createHolders();
  let connections = 0;

  /** Loopback may be a proxy that does not tell its clients apart; even so it leaves room for others. */
  function boundOf(address: string): number {
    if (o.maxPerAddress !== undefined) return o.maxPerAddress;
    return isLoopback(address) ? Math.ceil(o.maxConnections / 2) : defaultPerAddress;
  }

  function addressOf({ headers, socket }: IncomingMessage): string {
    const peer = socket.remoteAddress ?? "";
    return clientAddress(peer, headers["x-forwarded-for"], o.trustedProxies);
  }

  return {
    addressOf,
    get connections() {
      return connections;
    },
    refusalOf(request) {
      if (!isAllowedOrigin(request, o)) return foreignOrigin(request);
      if (connections >= o.maxConnections) return full;
      const address = addressOf(request);
      return byAddress.of(address) >= boundOf(address) ? tooManyOfAddress : undefined;
    },
    enter(request) {
      const leaveAddress = byAddress.add(addressOf(request));
      connections += 1;
      return () => {
        connections -= 1;
        leaveAddress();
      };
    },
  };
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
