import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CheckStockRequestSchema,
  CheckStockResponseSchema,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { runCommand } from "@smartcart/testkit";
import type { TestInventory } from "./support.ts";
import { startTestInventory } from "./support.ts";

const buf = fileURLToPath(new URL("../../../node_modules/.bin/buf", import.meta.url));
const python = "/usr/bin/python3";

let inventory: TestInventory;
beforeAll(async () => {
  inventory = await startTestInventory();
});
afterAll(() => inventory[Symbol.asyncDispose]());

describe("buf curl, which learns the schema from the server", () => {
  it.each([
    ["connect", []],
    ["connect", ["--http2-prior-knowledge"]],
    ["grpc", ["--http2-prior-knowledge"]],
    ["grpcweb", []],
  ])("checks stock over %s %j", async (protocol, flags) => {
    const { stdout } = await runCommand(buf, [
      "curl",
      "--protocol",
      protocol,
      ...flags,
      "--data",
      '{"productId": "copper-moka-pot", "quantity": 9}',
      `${inventory.url}/smartcart.inventory.v1.InventoryService/CheckStock`,
    ]);
    expect(JSON.parse(stdout)).toEqual({ isAvailable: false, available: 4 });
  });
});

it.skipIf(!hasGrpcio())("answers python3-grpcio", async () => {
  const script = `
import grpc, sys
channel = grpc.insecure_channel(sys.argv[1])
call = channel.unary_unary("/smartcart.inventory.v1.InventoryService/CheckStock")
print(call(bytes.fromhex(sys.argv[2]), timeout=10).hex())
`;
  const request = create(CheckStockRequestSchema, { productId: "copper-moka-pot", quantity: 4 });
  const { stdout } = await runCommand(python, [
    "-c",
    script,
    new URL(inventory.url).host,
    Buffer.from(toBinary(CheckStockRequestSchema, request)).toString("hex"),
  ]);
  const answer = fromBinary(CheckStockResponseSchema, Buffer.from(stdout.trim(), "hex"));
  expect(answer).toMatchObject({ isAvailable: true, available: 4 });
});

function hasGrpcio(): boolean {
  return spawnSync(python, ["-c", "import grpc"], { stdio: "ignore" }).status === 0;
}
