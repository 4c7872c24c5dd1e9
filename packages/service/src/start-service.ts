import type { RunningServer, ServerOptions } from "@smartcart/mesh";
import { startServer } from "@smartcart/mesh";
import type { ServiceContext, ServiceDefinition } from "./context.ts";
import { createContext } from "./context.ts";

/** A service that listens. Disposing drains its server, then disposes of what it is made of, in reverse order. */
export interface RunningService extends RunningServer {
  readonly name: string;
}

/** Settings of the server that the frame has from the definition. */
type Given =
  | keyof ServiceDefinition<string>
  | "port"
  | "host"
  | "allowedHosts"
  | "trustedProxies"
  | "meshSecret"
  | "authenticate"
  | "tls"
  | "rateLimits"
  | "trust"
  | "mapError";

/** What the server of a service answers: the settings of `startServer` that differ between services. */
export interface ServiceServer
  extends Partial<Pick<ServerOptions, "routes" | "services">>,
    Omit<ServerOptions, Given | "routes" | "services"> {
  /** Disposed of before the server drains: connections that would keep it waiting. */
  readonly disposeFirst?: AsyncDisposable;
}

/**
 * Builds a service and serves it. `build` opens the resources of the service and returns the routes and services of its server; all
 * else is common to all services. Fault switches are available in demo mode only.
 * @throws StartError where the settings would open it to the network without authentication or the port is in use; errors of `build`.
 * All resources opened until then are disposed of.
 */
export async function startService<V extends string>(
  definition: ServiceDefinition<V>,
  build: (context: ServiceContext) => Promise<ServiceServer> | ServiceServer,
): Promise<RunningService> {
  const { name, portVariable, config, log } = definition;
  await using starting = new AsyncDisposableStack();
  const { checks, ...context } = createContext(definition, starting);
  const { disposeFirst, ...served } = await build(context);
  const server = await startServer({
    services: [],
    routes: () => {},
    ...served,
    name,
    port: config[portVariable],
    portVariable,
    host: config.HOST,
    allowedHosts: config.ALLOWED_HOSTS,
    trustedProxies: config.TRUSTED_PROXIES,
    log,
    metrics: context.metrics,
    meshSecret: config.MESH_SECRET,
    tls: context.tls,
    rateLimits: context.rateLimits,
    ...context.access,
    mapError: context.mapError,
    faultSwitches: config.SMARTCART_DEMO ? (served.faultSwitches ?? []) : undefined,
    checks: { ...checks, ...served.checks },
  });
  starting.use(server);
  if (disposeFirst) starting.use(disposeFirst);
  const running = starting.move();
  return { ...server, name, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
