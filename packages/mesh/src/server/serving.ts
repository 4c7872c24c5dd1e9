import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor, Transport } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { compileRules } from "@smartcart/contract";
import { Health } from "@smartcart/gen/grpc/health/v1/health_pb";
import { InstanceService } from "@smartcart/gen/ops/v1/instance_service_pb";
import type { Trust } from "../auth/access.ts";
import { createAuthentication, createServiceIdentification } from "../auth/authentication.ts";
import { assertOwnersKnown, createResourceCheck, ownSubject } from "../auth/ownership.ts";
import { registerHealth } from "../health/health.ts";
import { registerInstanceService } from "../instance/instance-service.ts";
import { createAdmission } from "../limits/admission.ts";
import type { RateLimits } from "../limits/rate-limit.ts";
import { createAddressLimit, createUserLimit } from "../limits/rate-limit.ts";
import { reflectionServices, registerReflection } from "../reflection/reflection.ts";
import { createTelemetryInterceptor } from "../telemetry/telemetry-interceptor.ts";
import { createErrorInterceptor, promptEnd } from "./error-interceptor.ts";
import { createLocalTransport } from "./local-transport.ts";
import { collectMethods } from "./method-registry.ts";
import type { ServerOptions } from "./server-options.ts";
import { validation } from "./validation.ts";

/** The steps of a server's end, in their order. */
export interface Shutdown {
  /** Health and readiness say no. */
  readonly draining: AbortController;
  /** Open streams end. */
  readonly streams: AbortController;
  /** Unary calls that are still under way are cut off. */
  readonly unary: AbortController;
  /** No more calls are taken, also within the process. */
  readonly stopped: AbortController;
}

/** The methods of a server behind its interceptors. */
export interface Serving {
  /** For the network. */
  readonly handlers: readonly UniversalHandler[];
  /** For this process. */
  readonly transport: Transport;
  /** The methods of `routes`, health, reflection and the service's report. */
  readonly methods: Iterable<DescMethod>;
  /** Unary calls under way. */
  inFlight(): number;
}

const defaultMaxInFlight = 2048;

function trustOf({ meshSecret, tls, trust }: ServerOptions): Trust {
  const canProve = meshSecret !== undefined || tls?.current().mesh !== undefined;
  return { customers: true, operators: true, services: !canProve, ...trust };
}

/** The outer interceptors: what they observe and map includes what the inner ones refuse. */
function observers(o: ServerOptions, exempt: ReadonlySet<DescMethod>): Interceptor[] {
  const { name: service, log, metrics } = o;
  // The console's own calls are none that it should see; but not everybody may make them.
  const unobserved = new Set([...exempt, ...InstanceService.methods]);
  return [
    createTelemetryInterceptor({ service, log, metrics, exempt: unobserved }),
    createErrorInterceptor(log, o.mapError),
    promptEnd,
  ];
}

/** Puts the implementations, health, reflection and the service's report behind one chain of interceptors. */
export function createServing(
  o: ServerOptions,
  maxBodyBytes: number,
  rateLimits: RateLimits,
  shutdown: Shutdown,
): Serving {
  compileRules([...o.services, InstanceService]);
  const owners = o.owners ?? {};
  // Without tokens there are no customers to be kept apart.
  if (o.authenticate) assertOwnersKnown(o.services, owners);
  const infrastructure = [Health, ...reflectionServices];
  const exempt = new Set(infrastructure.flatMap((service) => service.methods));
  const trust = trustOf(o);
  const identifyService = createServiceIdentification({ audience: o.name, ...o });
  const admit = createAddressLimit({
    limits: rateLimits,
    probes: new Set(Health.methods),
    identifyService,
    trustsServices: trust.services,
  });
  const admission = createAdmission({
    exempt,
    maxInFlight: o.maxInFlight ?? defaultMaxInFlight,
    stopped: () => shutdown.stopped.signal.aborted,
  });
  const interceptors: Interceptor[] = [
    ...observers(o, exempt),
    createAuthentication({ ...o, identifyService, trust }),
    createUserLimit(rateLimits),
    admission.interceptor,
    ownSubject,
    validation,
    createResourceCheck(owners),
  ];
  const common = { interceptors };
  const signals = {
    unaryShutdown: shutdown.unary.signal,
    streamShutdown: shutdown.streams.signal,
  };
  const served = collectMethods(
    [
      o.routes,
      (router) => registerHealth(router, o.services, shutdown.draining.signal),
      (router) => registerInstanceService(router, o, shutdown.draining.signal),
      (router) => registerReflection(router, [...o.services, InstanceService, ...infrastructure]),
    ],
    { common, maxBodyBytes, admit, ...signals },
  );
  return {
    handlers: served.handlers,
    transport: createLocalTransport({
      served,
      interceptors,
      streamShutdown: shutdown.streams.signal,
    }),
    methods: served.specs.keys(),
    inFlight: admission.inFlight,
  };
}
