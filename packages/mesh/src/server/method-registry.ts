import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, MethodImplSpec, ServiceImpl } from "@connectrpc/connect";
import { createMethodImplSpec, createServiceImplSpec } from "@connectrpc/connect";
import type { UniversalHandler, UniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { batchTargets } from "@smartcart/contract";
import { createServedMethod } from "./method-handler.ts";
import { requestDecoding } from "./request-decoding.ts";
import type { ServeUnary } from "./unary-method.ts";
import type { Admit } from "./unary-request.ts";

/** How each method is served. */
export interface MethodRegistryOptions {
  /** Everything that applies to all methods. */
  readonly common: Partial<UniversalHandlerOptions>;
  /** Longest request message in bytes. A batch method may take more. */
  readonly maxBodyBytes: number;
  /** Decides by the headers of a call from the network whether it is read at all. */
  readonly admit: Admit;
  /** Ends unary calls that are under way. */
  readonly unaryShutdown: AbortSignal;
  /** Ends streams that are open. */
  readonly streamShutdown: AbortSignal;
}

/** The implementations of a server, for the network and for calls within the process. */
export interface MethodRegistry {
  readonly handlers: readonly UniversalHandler[];
  readonly specs: ReadonlyMap<DescMethod, MethodImplSpec>;
  /** The unary ones of them, behind their interceptors. */
  readonly unary: ReadonlyMap<DescMethod, ServeUnary>;
}

/**
 * Longest message of a batch method in bytes: 256 requests of 4 KiB, which is an order of a hundred lines. Not more, since
 * any caller can make it up of empty requests only, and each is decoded before they are counted.
 */
const maxBatchBytes = 1024 * 1024;

/**
 * Collects what `routes` registers. Streams and unary methods get shutdown signals of their own, since a drain ends
 * streams at once and lets unary calls finish.
 */
export function collectMethods(
  routes: readonly ((router: ConnectRouter) => void)[],
  o: MethodRegistryOptions,
): MethodRegistry {
  const specs = new Map<DescMethod, MethodImplSpec>();
  const unary = new Map<DescMethod, ServeUnary>();
  const handlers: UniversalHandler[] = [];

  function add(spec: MethodImplSpec, options?: Partial<UniversalHandlerOptions>): void {
    const { method } = spec;
    if (specs.has(method)) {
      throw new Error(`${method.parent.typeName}/${method.name} has two implementations`);
    }
    specs.set(method, spec);
    const isBatch = batchTargets(method.parent).has(method.name);
    const maxBytes = isBatch ? Math.max(maxBatchBytes, o.maxBodyBytes) : o.maxBodyBytes;
    const served = createServedMethod(spec, {
      ...o.common,
      ...requestDecoding(method, maxBytes, o.admit),
      shutdownSignal: method.methodKind === "unary" ? o.unaryShutdown : o.streamShutdown,
      ...options,
    });
    handlers.push(served.handler);
    if (served.serve !== undefined) unary.set(method, served.serve);
  }

  const router: ConnectRouter = {
    handlers,
    service(service: DescService, implementation: Partial<ServiceImpl<DescService>>, options) {
      const spec = createServiceImplSpec(service, implementation);
      for (const method of Object.values(spec.methods)) {
        add(method, options);
      }
      return router;
    },
    rpc(method, implementation, options) {
      add(createMethodImplSpec(method, implementation), options);
      return router;
    },
  };
  for (const register of routes) {
    register(router);
  }
  return { handlers, specs, unary };
}
