import { create, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from "@smartcart/gen/grpc/reflection/v1/reflection_pb";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
} from "@smartcart/gen/grpc/reflection/v1/reflection_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { RunningServer } from "../src/index.ts";
import { startOrderServer } from "./rig.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startOrderServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

type Question = ServerReflectionRequest["messageRequest"];

/** The answers to all questions of one stream. */
async function ask(...questions: Question[]) {
  const requests = questions.map((messageRequest) =>
    create(ServerReflectionRequestSchema, { host: "h", messageRequest }),
  );
  const client = createClient(ServerReflection, server.transport);
  const answers = client.serverReflectionInfo(
    (async function* () {
      yield* requests;
    })(),
  );
  const responses: ServerReflectionResponse["messageResponse"][] = [];
  for await (const { messageResponse } of answers) {
    responses.push(messageResponse);
  }
  return responses;
}

async function filesOf(question: Question): Promise<string[]> {
  const [answer] = await ask(question);
  return answer?.case === "fileDescriptorResponse"
    ? answer.value.fileDescriptorProto.map(
        (bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name,
      )
    : [];
}

test("a service comes with all that its file imports, third parties included", async () => {
  const files = await filesOf({ case: "fileContainingSymbol", value: OrderService.typeName });
  expect(files[0]).toBe("smartcart/order/v1/order_service.proto");
  expect(files).toEqual(
    expect.arrayContaining([
      "buf/validate/validate.proto",
      "google/api/annotations.proto",
      "google/api/http.proto",
      "google/protobuf/descriptor.proto",
      "smartcart/mesh/v1/options.proto",
      "smartcart/order/v1/order.proto",
    ]),
  );
});

test.each<[string, Question]>([
  ["a method", { case: "fileContainingSymbol", value: "smartcart.order.v1.OrderService.GetOrder" }],
  [
    "a field",
    { case: "fileContainingSymbol", value: "smartcart.order.v1.GetOrderRequest.order_id" },
  ],
  ["a file", { case: "fileByFilename", value: "smartcart/order/v1/order_service.proto" }],
])("%s is found", async (_, question) => {
  expect((await filesOf(question))[0]).toBe("smartcart/order/v1/order_service.proto");
});

test.each([
  ["a value of an enum", "smartcart.order.v1.ORDER_MILESTONE_RECEIVED", "order_milestone.proto"],
  ["a value of a nested enum", "smartcart.order.v1.Order.PENDING", "order.proto"],
  ["the same as some clients ask", "smartcart.order.v1.Order.Status.PENDING", "order.proto"],
])("%s is found", async (_, value, file) => {
  const files = await filesOf({ case: "fileContainingSymbol", value });
  expect(files[0]).toBe(`smartcart/order/v1/${file}`);
});

test("every message that travels as a detail of an error is found", async () => {
  for (const [value, file] of [
    ["smartcart.type.v1.Problem", "smartcart/type/v1/problem.proto"],
    ["smartcart.order.v1.RejectedOrder", "smartcart/order/v1/order.proto"],
    ["buf.validate.Violations", "buf/validate/validate.proto"],
  ] as const) {
    expect((await filesOf({ case: "fileContainingSymbol", value }))[0]).toBe(file);
  }
});

test("our own options and those of others are found by number", async () => {
  const containingType = "google.protobuf.MethodOptions";
  const extension = (extensionNumber: number): Question => ({
    case: "fileContainingExtension",
    value: { $typeName: "grpc.reflection.v1.ExtensionRequest", containingType, extensionNumber },
  });
  expect((await filesOf(extension(50701)))[0]).toBe("smartcart/mesh/v1/options.proto");
  expect((await filesOf(extension(72295728)))[0]).toBe("google/api/annotations.proto");
  const [numbers] = await ask({ case: "allExtensionNumbersOfType", value: containingType });
  expect(numbers).toMatchObject({
    case: "allExtensionNumbersResponse",
    value: { extensionNumber: expect.arrayContaining([50701, 72295728]) },
  });
});

test("a stream is sent no import twice, and goes on after an error", async () => {
  const [first, missing, second] = await ask(
    { case: "fileByFilename", value: "smartcart/order/v1/order_service.proto" },
    { case: "fileByFilename", value: "nothing.proto" },
    { case: "fileByFilename", value: "smartcart/order/v1/order.proto" },
  );
  expect(first?.case).toBe("fileDescriptorResponse");
  expect(missing).toMatchObject({ case: "errorResponse", value: { errorCode: 5 } });
  expect(
    second?.case === "fileDescriptorResponse" && second.value.fileDescriptorProto,
  ).toHaveLength(1);
});

test("all services are listed, health and the report of every process among them", async () => {
  const [answer] = await ask({ case: "listServices", value: "" });
  expect(
    answer?.case === "listServicesResponse" && answer.value.service.map((s) => s.name),
  ).toEqual([
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "smartcart.ops.v1.InstanceService",
    "smartcart.order.v1.OrderService",
  ]);
});
