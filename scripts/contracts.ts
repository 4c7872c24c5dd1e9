/** The contract as it is, and as it was released. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Registry } from "@bufbuild/protobuf";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** Reads `proto/` and `baseline/` of a checkout; default: this one. */
export function readContracts(directory: string | undefined): {
  readonly contract: Registry;
  readonly released: Registry;
} {
  const root = resolve(directory ?? join(import.meta.dirname, ".."));
  const build = ["build", "--exclude-source-info", "--output", "-"];
  return {
    contract: registryOf(execFileSync("buf", build, { cwd: root, maxBuffer: 2 ** 26 })),
    released: registryOf(readFileSync(join(root, "baseline/contract.binpb"))),
  };
}

function registryOf(image: Uint8Array): Registry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
}
