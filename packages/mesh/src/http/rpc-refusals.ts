import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { HttpProblem } from "../errors/problem.ts";
import { httpProblem } from "../errors/problem.ts";

const grpcTypes = ["application/grpc", "application/grpc+proto", "application/grpc+json"];
const grpcWebTypes = grpcTypes.map((type) => type.replace("grpc", "grpc-web"));
const formats = ["proto", "json"];

/** What a method answers to a request that is no call, by status: Connect itself sends the bare number. */
export function refusalsOf(handler: UniversalHandler): ReadonlyMap<number, HttpProblem> {
  const { method, allowedMethods } = handler;
  const isUnary = method.methodKind === "unary";
  const connectTypes = formats.map((format) => `application/${isUnary ? "" : "connect+"}${format}`);
  const types = [...connectTypes, ...grpcTypes, ...grpcWebTypes].filter((type) =>
    handler.supportedContentType(type),
  );
  const problems = [
    httpProblem({
      status: 405,
      code: "METHOD_NOT_ALLOWED",
      title: "The method is not allowed",
      detail: `${method.name} takes ${allowedMethods.join(" and ")}.`,
      headers: { allow: allowedMethods.join(", ") },
    }),
    httpProblem({
      status: 415,
      code: "UNSUPPORTED_MEDIA_TYPE",
      title: "The content type is not supported",
      detail: `${method.name} takes ${types.join(", ")}. Set Content-Type to one of them.`,
      headers: { "accept-post": types.join(", ") },
    }),
    httpProblem({
      status: 505,
      code: "HTTP_VERSION_NOT_SUPPORTED",
      title: "The version of HTTP is not supported",
      detail: `${method.name} sends in both directions at once, which takes HTTP/2.`,
      headers: { connection: "close" },
    }),
  ];
  return new Map(problems.map((problem) => [problem.status, problem]));
}
