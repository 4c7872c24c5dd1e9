import type { DescFile, DescService } from "@bufbuild/protobuf";
import { toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import type { ServerReflectionRequest } from "@smartcart/gen/grpc/reflection/v1/reflection_pb";
import { ServerReflection } from "@smartcart/gen/grpc/reflection/v1/reflection_pb";
import { ServerReflection as ServerReflectionAlpha } from "@smartcart/gen/grpc/reflection/v1alpha/reflection_pb";
import { commonDetails } from "../errors/errors.ts";

/** Everything that reflection can be asked for, looked up once. */
interface Index {
  readonly services: readonly string[];
  readonly fileByName: ReadonlyMap<string, DescFile>;
  readonly fileBySymbol: ReadonlyMap<string, DescFile>;
  /** Extended type to field number to the file that declares the extension. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

/** The services of reflection itself, which answer questions about themselves, too. */
export const reflectionServices: readonly DescService[] = [ServerReflection, ServerReflectionAlpha];

/**
 * Server reflection v1 and v1alpha, which say the same in two packages: clients need no schema. Files that are imported
 * are known as well, custom options and third parties included.
 */
export function registerReflection(router: ConnectRouter, services: readonly DescService[]): void {
  const index = buildIndex(services);

  async function* answers(requests: AsyncIterable<ServerReflectionRequest>) {
    const sent = new Set<string>();
    for await (const originalRequest of requests) {
      const messageResponse = answer(index, originalRequest, sent);
      yield { validHost: originalRequest.host, originalRequest, messageResponse };
    }
  }
  router.service(ServerReflection, { serverReflectionInfo: answers });
  // The two packages have the same messages under other names, which types cannot tell.
  router.service(ServerReflectionAlpha, { serverReflectionInfo: answers as never });
}

function answer(index: Index, request: ServerReflectionRequest, sent: Set<string>) {
  const { messageRequest: asked } = request;
  switch (asked.case) {
    case "fileByFilename":
      return files(index.fileByName.get(asked.value), asked.value, sent);
    case "fileContainingSymbol":
      return files(index.fileBySymbol.get(asked.value), asked.value, sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      const file = index.extensions.get(containingType)?.get(extensionNumber);
      return files(file, `${containingType} ${extensionNumber}`, sent);
    }
    case "allExtensionNumbersOfType": {
      const numbers = [...(index.extensions.get(asked.value)?.keys() ?? [])];
      if (!index.fileBySymbol.has(asked.value)) {
        return notFound(asked.value);
      }
      const value = { baseTypeName: asked.value, extensionNumber: numbers };
      return { case: "allExtensionNumbersResponse" as const, value };
    }
    case "listServices": {
      const value = { service: index.services.map((name) => ({ name })) };
      return { case: "listServicesResponse" as const, value };
    }
    case undefined:
      return failure(Code.InvalidArgument, "The request asks for nothing.");
  }
}

/** The file with all that it imports, less what this stream has been sent already. */
function files(file: DescFile | undefined, asked: string, sent: Set<string>) {
  if (file === undefined) {
    return notFound(asked);
  }
  const wanted = [...withImports(file)].filter((f) => f === file || !sent.has(f.proto.name));
  const fileDescriptorProto = wanted.map((f) => {
    sent.add(f.proto.name);
    return toBinary(FileDescriptorProtoSchema, f.proto);
  });
  return { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto } };
}

function notFound(asked: string) {
  return failure(Code.NotFound, `"${asked}" does not exist on this server.`);
}

function failure(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse" as const, value: { errorCode, errorMessage } };
}

function withImports(file: DescFile, seen = new Set<DescFile>()): Set<DescFile> {
  if (!seen.has(file)) {
    seen.add(file);
    for (const dependency of file.dependencies) {
      withImports(dependency, seen);
    }
  }
  return seen;
}

function buildIndex(services: readonly DescService[]): Index {
  const described = [...services, ...commonDetails];
  const all = new Set(described.flatMap(({ file }) => [...withImports(file)]));
  const fileBySymbol = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of all) {
    for (const type of nestedTypes(file)) {
      fileBySymbol.set(type.typeName, file);
      if (type.kind === "extension") {
        const numbers = extensions.get(type.extendee.typeName) ?? new Map<number, DescFile>();
        extensions.set(type.extendee.typeName, numbers.set(type.number, file));
      }
      for (const symbol of memberSymbols(type)) {
        fileBySymbol.set(symbol, file);
      }
    }
  }
  return {
    services: services.map((service) => service.typeName).sort(),
    fileByName: new Map([...all].map((file) => [file.proto.name, file])),
    fileBySymbol,
    extensions,
  };
}

type AnyType = ReturnType<typeof nestedTypes> extends Iterable<infer T> ? T : never;

/** Fields, oneofs, methods and enum values are symbols, too. */
function memberSymbols(type: AnyType): string[] {
  const within = (members: readonly { readonly name: string }[]) =>
    members.map(({ name }) => `${type.typeName}.${name}`);
  switch (type.kind) {
    case "message":
      return within([...type.fields, ...type.oneofs]);
    case "service":
      return within(type.methods);
    case "enum": {
      // Values stand beside their enum, not in it; some clients ask for them as if they stood in it.
      const scope = type.parent?.typeName ?? type.file.proto.package;
      return [...within(type.values), ...type.values.map(({ name }) => `${scope}.${name}`)];
    }
    default:
      return [];
  }
}
