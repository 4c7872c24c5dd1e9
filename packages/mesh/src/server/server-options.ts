import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import type { Hono } from "hono";
import type { Authenticator, TlsFiles } from "@smartcart/identity";
import type { Logger, Registry, TrustedProxies } from "@smartcart/runtime";
import type { Trust } from "../auth/access.ts";
import type { ResourceOwners } from "../auth/ownership.ts";
import type { ErrorMapper } from "../errors/error-mapping.ts";
import type { Checks } from "../health/readiness.ts";
import type { OnUpgrade } from "../http/http1-server.ts";
import type { FaultSwitch } from "../instance/fault-switch.ts";
import type { Gauges } from "../instance/instance-service.ts";
import type { RateLimits } from "../limits/rate-limit.ts";
import type { RestOptions } from "../rest/rest.ts";

/** The server of one service. */
export interface ServerOptions {
  /** The service: "order". It names spans and log lines, and caller tokens must be for it. */
  readonly name: string;
  /** TCP port; 0: any free one. */
  readonly port: number;
  /** The environment variable that set the port, for the error that says it is taken. */
  readonly portVariable: string;
  /** Address to listen on: "127.0.0.1", or "0.0.0.0" for all. */
  readonly host: string;
  /**
   * Names that requests may give as Host, without port (`ALLOWED_HOSTS`); default: on loopback those of this machine, elsewhere
   * any. What names another is refused with 421.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Proxies whose `X-Forwarded-For` is believed (`TRUSTED_PROXIES`); default: those on this machine. */
  readonly trustedProxies?: TrustedProxies | undefined;
  /** Registers the implementations. */
  readonly routes: (router: ConnectRouter) => void;
  /** The services that health and reflection tell of. */
  readonly services: readonly DescService[];
  /**
   * What an error of an implementation is to its caller, such as a `DomainError` for a lost database; whatever it does not know it
   * returns as it is. It is asked of unary calls and streams; the items of a batch are the implementation's own (`settleBatch`).
   * Default: each is what it is.
   */
  readonly mapError?: ErrorMapper | undefined;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Verifies the caller tokens of services; undefined: none can prove to be one. */
  readonly meshSecret?: string | undefined;
  /**
   * With it the port speaks TLS only; certificates of services that come with it prove who calls. The caller disposes of it.
   * Default: plain text.
   */
  readonly tls?: TlsFiles | undefined;
  /** Authenticates a request by its header `Authorization`. Default: the header is ignored. */
  readonly authenticate?: Authenticator | undefined;
  /** The callers that are trusted without proof. Default: all of them, but services only without `meshSecret` and certificates. */
  readonly trust?: Partial<Trust>;
  /** Finds the owners of resources that the contract reserves for them. Needed where `services` have such methods. */
  readonly owners?: ResourceOwners;
  /** Services whose `google.api.http` routes, /openapi.json and /docs are served. Default: none. */
  readonly rest?: readonly DescService[];
  readonly restOptions?: RestOptions;
  /** Conditions for /readyz. */
  readonly checks?: Checks;
  /** Numbers that the operations console shows; asked for about once a second while a console watches. Default: none. */
  readonly gauges?: Gauges;
  /** What can be broken here on purpose. Undefined: the service does not run in demo mode. */
  readonly faultSwitches?: readonly FaultSwitch[] | undefined;
  /** Longest request in bytes; default 256 KiB. */
  readonly maxBodyBytes?: number;
  /** Unary calls at once; one more is refused with 503 and Retry-After. Default 2048. */
  readonly maxInFlight?: number;
  /** Count requests by the address and the person that they come from, over all transports. Default: there are no limits. */
  readonly rateLimits?: RateLimits;
  /** Longest time for calls under way when the server is disposed of. Default 5000. */
  readonly drainMs?: number;
  /**
   * How long the port stays open after health and readiness say no, so that balancers take notice, and how long after that a
   * connection that is open may bring a last request. Default 100.
   */
  readonly drainNoticeMs?: number;
  /** Takes over connections that ask for a WebSocket. Any other upgrade is ignored, as is every one where this is not set. */
  readonly onUpgrade?: OnUpgrade;
  /**
   * Path of the WebSocket over which pages open the server streams of `routes` (`stream_frames.proto`). Not beside `onUpgrade`.
   * Default: there is none.
   */
  readonly streamSocketPath?: string;
  /** Adds routes of the service's own. */
  readonly extraRoutes?: (app: Hono) => void;
  /** Origins whose pages may call; default: none. */
  readonly corsOrigins?: readonly string[];
}
