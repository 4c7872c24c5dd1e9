/** What a service is built with: each resource is disposed of with the service, counted in its metrics and part of its readiness. */
import type { DescService } from "@bufbuild/protobuf";
import type { EventBus } from "@smartcart/bus";
import { observeBus } from "@smartcart/bus";
import type { Access, TlsFiles } from "@smartcart/identity";
import { accessFrom, openTlsFiles } from "@smartcart/identity";
import type {
  Checks,
  ErrorMapper,
  RateLimits,
  ServiceClient,
  ServiceClientOptions,
} from "@smartcart/mesh";
import { createRateLimits, createServiceClient } from "@smartcart/mesh";
import type { CleanedEnv, commonConfig, Logger, Registry } from "@smartcart/runtime";
import { createMetrics } from "@smartcart/runtime";
import type { Database, MigrationSet } from "@smartcart/store";
import { createDatabase, migrate } from "@smartcart/store";
import type { Unavailable } from "./unavailable.ts";
import { unavailableMapper } from "./unavailable.ts";

/** The variables that every service reads. */
export type ServiceConfig = CleanedEnv<typeof commonConfig>;

/** What one service is called, where it listens and what it is given. */
export interface ServiceDefinition<V extends string> {
  /** "order". It names spans, metrics, connections to the database, and the caller of other services. */
  readonly name: string;
  /** The variable of the configuration that holds its TCP port: "ORDER_PORT". 0: any free port. */
  readonly portVariable: V;
  readonly config: ServiceConfig & Readonly<Record<V, number>>;
  readonly log: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Registry | undefined;
  /** The error for a lost database. Default: INTERNAL. */
  readonly unavailable?: Unavailable;
}

/** A database of a service. */
interface ServiceDatabase {
  readonly url: string;
  readonly schema: string;
  /** Applied in this order. Default: none. */
  readonly migrations?: readonly MigrationSet[];
  /** Default: that of `createDatabase`. */
  readonly maxConnections?: number;
}

/** What a service is built with. Its methods add a readiness check each, or a client. */
export interface ServiceContext {
  /** How callers are authenticated, and whether unauthenticated ones are trusted, by the service's settings. */
  readonly access: Access;
  /** Certificates of the port and of the service; undefined: there are none, and the port speaks plain text. */
  readonly tls: TlsFiles | undefined;
  readonly metrics: Registry;
  /** How many requests a client may send; the service's server counts them by itself. */
  readonly rateLimits: RateLimits;
  /** Disposed of in reverse order: by a failed start at once, else with the service, after its server. */
  readonly stack: AsyncDisposableStack;
  /** What an error is to its caller. The server asks it by itself; it is here for the items of a batch (`settleBatch`). */
  readonly mapError: ErrorMapper;
  /** Opens the service's schema and brings it up to date. Check `database`. */
  openDatabase(o: ServiceDatabase): Promise<Database>;
  /** The same queue, counted in the service's metrics. Check `bus`. */
  observeBus(bus: EventBus): EventBus;
  /** A client of another service, in this one's name. */
  connect<S extends DescService>(service: S, address: PeerAddress): ServiceClient<S>;
}

/** Where another service is: its URL, or the transport of one in the same process. */
export type PeerAddress = Pick<ServiceClientOptions, "baseUrl" | "transport" | "audience">;

/** Creates the context over an empty stack; `checks` fills up with what it opens. */
export function createContext(
  { name, config, log, metrics = createMetrics(name), unavailable }: ServiceDefinition<string>,
  stack: AsyncDisposableStack,
): ServiceContext & { readonly checks: Checks } {
  const checks: Record<string, () => Promise<void>> = {};
  const tls = openTlsFiles({ config, service: name, log });
  if (tls !== undefined) stack.use(tls);
  return {
    access: accessFrom(config),
    tls,
    metrics,
    rateLimits: createRateLimits({
      perAddress: config.RATE_LIMIT_PER_ADDRESS,
      perUser: config.RATE_LIMIT_PER_USER,
      log,
      metrics,
    }),
    stack,
    checks,
    mapError: unavailable ? unavailableMapper(unavailable) : (error) => error,
    async openDatabase({ migrations = [], ...o }) {
      const shared = { applicationName: name, log, metrics };
      const database = createDatabase({ ...o, ...shared, avoidSequentialScans: true });
      stack.use(database);
      checks.database = () => database.ping();
      for (const set of migrations) await migrate(database, set);
      return database;
    },
    observeBus(bus) {
      checks.bus = () => bus.check();
      return observeBus(bus, metrics);
    },
    connect(service, address) {
      const { MESH_SECRET: meshSecret } = config;
      const options = { caller: name, ...address, log, metrics, meshSecret, tls };
      return stack.use(createServiceClient(service, options));
    },
  };
}
