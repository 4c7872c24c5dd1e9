import type { MethodImplSpec } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  createUniversalMethodHandler,
  validateUniversalHandlerOptions,
} from "@connectrpc/connect/protocol";
import { createHandlerFactory as createConnectFactory } from "@connectrpc/connect/protocol-connect";
import { createHandlerFactory as createGrpcFactory } from "@connectrpc/connect/protocol-grpc";
import { createHandlerFactory as createGrpcWebFactory } from "@connectrpc/connect/protocol-grpc-web";
import { createConnectUnaryHandler } from "./connect-unary.ts";
import { createGrpcUnaryHandler } from "./grpc-unary.ts";
import type { ServeUnary } from "./unary-method.ts";
import { createUnaryMethod } from "./unary-method.ts";
import type { MethodHandlerOptions } from "./unary-request.ts";

/** A method for the network, and a unary one for this process as well. */
export interface ServedMethod {
  readonly handler: UniversalHandler;
  readonly serve: ServeUnary | undefined;
}

/**
 * Serves a method over gRPC, gRPC-Web and Connect, as Connect's router does. Unary calls, except for gRPC-Web and GET requests, go by
 * handlers of our own: see `createGrpcUnaryHandler`.
 */
export function createServedMethod(
  spec: MethodImplSpec,
  { mapError, readJson, admit, ...options }: Partial<MethodHandlerOptions>,
): ServedMethod {
  const o = { ...validateUniversalHandlerOptions(options), mapError, readJson, admit };
  const grpcWeb = createGrpcWebFactory(o);
  if (spec.kind !== "unary") {
    const factories = [createGrpcFactory(o), grpcWeb, createConnectFactory(o)];
    return { handler: createUniversalMethodHandler(spec, factories), serve: undefined };
  }
  const serve = createUnaryMethod(spec, o.interceptors, o.shutdownSignal);
  const grpc = () => createGrpcUnaryHandler(spec, serve, o);
  const connect = () => createConnectUnaryHandler(spec, serve, o);
  const handler = createUniversalMethodHandler(spec, [
    Object.assign(grpc, { protocolName: "grpc" }),
    grpcWeb,
    Object.assign(connect, { protocolName: "connect" }),
  ]);
  return { handler, serve };
}
