import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CheckStockRequestSchema,
  InventoryService,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { RunningServer } from "../src/index.ts";
import { startTestServer } from "./rig.ts";

const run = promisify(execFile);
const buf = fileURLToPath(new URL("../../../node_modules/.bin/buf", import.meta.url));

let server: RunningServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const method = `${InventoryService.typeName}/CheckStock`;
const good = JSON.stringify({ productId: "mug", quantity: 2 });

async function bufCurl(...args: string[]): Promise<string> {
  const { stdout } = await run(buf, ["curl", ...args]);
  return stdout;
}

describe("buf curl, without a schema", () => {
  const overHttp2 = ["--http2-prior-knowledge"];

  test.each([
    ["connect", "grpc-v1", []],
    ["connect", "grpc-v1", overHttp2],
    ["grpc", "grpc-v1", overHttp2],
    ["grpc", "grpc-v1alpha", overHttp2],
    ["grpcweb", "grpc-v1alpha", []],
    ["grpcweb", "grpc-v1", overHttp2],
  ])("%s with reflection %s %j", async (protocol, reflection, extra) => {
    const flags = ["--protocol", protocol, "--reflect-protocol", reflection, ...extra];
    const answer = await bufCurl(...flags, "-d", good, `${server.url}/${method}`);
    expect(JSON.parse(answer)).toEqual({ isAvailable: true, available: 5 });
  });

  test("an error comes with its details", async () => {
    const flags = ["--protocol", "grpc", ...overHttp2, "-d", "{}"];
    const { stderr } = await bufCurl(...flags, `${server.url}/${method}`).then(
      () => ({ stderr: "" }),
      (e: { stderr: string }) => e,
    );
    expect(JSON.parse(stderr)).toMatchObject({
      code: "invalid_argument",
      details: [{ type: "smartcart.type.v1.Problem" }, { type: "buf.validate.Violations" }],
    });
  });

  test("lists the methods, those of health and reflection included", async () => {
    const methods = await bufCurl(...overHttp2, "--list-methods", server.url);
    expect(methods.split("\n")).toEqual(
      expect.arrayContaining([
        method,
        "grpc.health.v1.Health/Check",
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      ]),
    );
  });
});

/** Calls with raw bytes, through the reflection of grpcio alone; prints the answer in hex. */
const pythonClient = `
import sys, grpc
target, method, data = sys.argv[1:]
with grpc.insecure_channel(target) as channel:
    call = channel.unary_unary("/" + method)
    print(call(bytes.fromhex(data), timeout=5).hex())
`;
const python = "/usr/bin/python3";
const hasGrpcio =
  existsSync(python) &&
  (await run(python, ["-c", "import grpc"]).then(
    () => true,
    () => false,
  ));

test.skipIf(!hasGrpcio)("grpcio for Python", async () => {
  const request = create(CheckStockRequestSchema, { productId: "mug", quantity: 2 });
  const data = Buffer.from(toBinary(CheckStockRequestSchema, request)).toString("hex");
  const target = `127.0.0.1:${server.port}`;
  const { stdout } = await run(python, ["-c", pythonClient, target, method, data]);
  // is_available (1): true, available (2): 5.
  expect(stdout.trim()).toBe("08011005");
});
