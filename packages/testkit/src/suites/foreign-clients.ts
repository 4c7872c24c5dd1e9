import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary, toJsonString } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { runCommand } from "../run-command.ts";

const buf = fileURLToPath(new URL("../../../../node_modules/.bin/buf", import.meta.url));
const python = "/usr/bin/python3";

interface ForeignClientCase<M extends DescMethod> {
  readonly method: M;
  /** Base URL of the service that runs. */
  url(): string;
  /** A new request for each call. */
  request(): MessageInitShape<M["input"]>;
  /** What its answer matches, as JSON and as a message. */
  readonly json: object;
  readonly message: object;
}

/** That clients which others have written can call a service. */
export function describeForeignClients<M extends DescMethod>(o: ForeignClientCase<M>): void {
  const path = `/${o.method.parent.typeName}/${o.method.name}`;

  describe("buf curl, which learns the schema from the server", () => {
    it.each([
      ["connect", []],
      ["connect", ["--http2-prior-knowledge"]],
      ["grpc", ["--http2-prior-knowledge"]],
      ["grpcweb", []],
    ])(`calls ${o.method.name} over %s %j`, async (protocol, flags) => {
      const data = toJsonString(o.method.input, create(o.method.input, o.request()));
      const args = ["curl", "--protocol", protocol, ...flags, "--data", data, `${o.url()}${path}`];
      const { stdout, stderr } = await runCommand(buf, args);
      expect(JSON.parse(stdout || `"${stderr}"`)).toMatchObject(o.json);
    });
  });

  it.skipIf(!hasGrpcio())("answers python3-grpcio", async () => {
    const script = `
import grpc, sys
channel = grpc.insecure_channel(sys.argv[1])
call = channel.unary_unary(sys.argv[2])
print(call(bytes.fromhex(sys.argv[3]), timeout=10).hex())
`;
    const request = toBinary(o.method.input, create(o.method.input, o.request()));
    const hex = Buffer.from(request).toString("hex");
    const args = ["-c", script, new URL(o.url()).host, path, hex];
    const { stdout } = await runCommand(python, args);
    expect(fromBinary(o.method.output, Buffer.from(stdout.trim(), "hex"))).toMatchObject(o.message);
  });
}

function hasGrpcio(): boolean {
  return spawnSync(python, ["-c", "import grpc"], { stdio: "ignore" }).status === 0;
}
