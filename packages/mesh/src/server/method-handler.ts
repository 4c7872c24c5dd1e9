import type { MethodImplSpec } from "@connectrpc/connect";
import type { UniversalHandler, UniversalHandlerOptions } from "@connectrpc/connect/protocol";
import {
  createUniversalMethodHandler,
  validateUniversalHandlerOptions,
} from "@connectrpc/connect/protocol";
import { createHandlerFactory as createConnectFactory } from "@connectrpc/connect/protocol-connect";
import { createHandlerFactory as createGrpcFactory } from "@connectrpc/connect/protocol-grpc";
import { createHandlerFactory as createGrpcWebFactory } from "@connectrpc/connect/protocol-grpc-web";
import { createGrpcUnaryHandler } from "./grpc-unary.ts";

/** Serves a method over gRPC, gRPC-Web and Connect, as Connect's router does but for unary calls over gRPC. */
export function createMethodHandler(
  spec: MethodImplSpec,
  options: Partial<UniversalHandlerOptions>,
): UniversalHandler {
  const o = validateUniversalHandlerOptions(options);
  const grpcUnary = (one: MethodImplSpec) =>
    one.kind === "unary" ? createGrpcUnaryHandler(one, o) : createGrpcFactory(o)(one);
  return createUniversalMethodHandler(spec, [
    Object.assign(grpcUnary, { protocolName: "grpc" }),
    createGrpcWebFactory(o),
    createConnectFactory(o),
  ]);
}
