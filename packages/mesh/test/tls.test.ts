import { execFile } from "node:child_process";
import { copyFile } from "node:fs/promises";
import type { ClientHttp2Session } from "node:http2";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { TlsConfig, TlsFiles } from "@smartcart/identity";
import { openTlsFiles } from "@smartcart/identity";
import { issueDevelopmentCertificates } from "@smartcart/identity/development-ca";
import { silentLogger } from "@smartcart/runtime";
import { makeTemporaryDirectory, runCommand, waitFor } from "@smartcart/testkit";
import type { RunningServer } from "../src/index.ts";
import { createServiceClient } from "../src/index.ts";
import { startTestServer } from "./rig.ts";

const stack = new AsyncDisposableStack();
const services = { order: [], inventory: [], payment: [], shipping: [], ops: ["reconciler"] };
let folder: string;
let inventory: RunningServer;
let plain: RunningServer;
const at = (name: string) => join(folder, name);
const unset: TlsConfig = {
  TLS_CERT: undefined,
  TLS_KEY: undefined,
  MESH_TLS_CA: undefined,
  MESH_TLS_CERT: undefined,
  MESH_TLS_KEY: undefined,
};

/** The certificate of a service, of the authority in the folder that `ca` names unless another one is said. */
function filesOf(service: string, o: Partial<TlsConfig> & { from?: string } = {}): TlsFiles {
  const { from = ".", ...changes } = o;
  const config = {
    ...unset,
    MESH_TLS_CA: at("ca.crt"),
    MESH_TLS_CERT: at(`${from}/{service}.crt`),
    MESH_TLS_KEY: at(`${from}/{service}.key`),
    ...changes,
  };
  const files = openTlsFiles({ config, service, log: silentLogger, intervalMs: 20 });
  if (files === undefined) throw new Error("there are files");
  return stack.use(files);
}

function routes(router: ConnectRouter): void {
  router.service(InventoryService, {
    checkStock: () => ({ isAvailable: true, available: 5 }),
    releaseReservation: ({ reservationId }) => ({ reservation: { reservationId } }),
  });
}

beforeAll(async () => {
  folder = stack.use(await makeTemporaryDirectory()).path;
  await issueDevelopmentCertificates({ folder, services });
  await issueDevelopmentCertificates({ folder: at("others"), services });
  const tls = filesOf("inventory", { TLS_CERT: at("server.crt"), TLS_KEY: at("server.key") });
  inventory = stack.use(await startTestServer({ name: "inventory", routes, tls }));
  plain = stack.use(await startTestServer());
});
afterAll(() => stack[Symbol.asyncDispose]());

const curl = (...args: string[]) =>
  runCommand("curl", ["-sS", "--max-time", "10", "--cacert", at("ca.crt"), ...args]);
const localhost = ({ port }: RunningServer) => `https://localhost:${port}`;

describe("clients of other makes", () => {
  test.each([
    ["--http2", "2"],
    ["--http1.1", "1.1"],
    ["--tls-max 1.2", "2"],
  ])("curl %s", async (option, version) => {
    const written = ["-w", "%{http_version} %{http_code} %{ssl_verify_result}", "-o", "/dev/null"];
    const { stdout } = await curl(
      ...option.split(" "),
      ...written,
      `${localhost(inventory)}/readyz`,
    );
    expect(stdout).toBe(`${version} 200 0`);
  });

  test.each([["connect"], ["grpc"], ["grpcweb"]])("buf curl by %s", async (protocol) => {
    const url = `${localhost(inventory)}/smartcart.inventory.v1.InventoryService/CheckStock`;
    const args = ["curl", "--cacert", at("ca.crt"), "--protocol", protocol, "-d"];
    const { stdout, stderr } = await runCommand("buf", [
      ...args,
      '{"productId":"m","quantity":1}',
      url,
    ]);
    expect(JSON.parse(stdout || stderr)).toEqual({ isAvailable: true, available: 5 });
  });

  test("h2load, on one connection with many streams", async () => {
    const args = ["-n", "500", "-c", "2", "-m", "50", `${localhost(inventory)}/healthz`];
    expect((await runCommand("h2load", args)).stdout).toContain("500 succeeded, 0 failed");
  });

  test("openssl sees what each name is answered with", async () => {
    const ask = async (name: string) => {
      const args = ["s_client", "-connect", `127.0.0.1:${inventory.port}`, "-servername", name];
      const trust = ["-CAfile", at("ca.crt"), "-verify_return_error", "-alpn", "h2,http/1.1"];
      const asking = promisify(execFile)("openssl", [...args, ...trust]);
      asking.child.stdin?.end();
      return (await asking).stdout;
    };
    const publicly = await ask("localhost");
    expect(publicly).toContain("ALPN protocol: h2");
    expect(publicly).toMatch(/subject=CN ?= ?localhost/);
    expect(publicly).toContain("Verify return code: 0");
    expect(await ask("inventory.smartcart.internal")).toMatch(
      /subject=CN ?= ?inventory\.smartcart/,
    );
  });
});

describe("what speaks otherwise", () => {
  /** All that the server says until it closes. */
  async function say(port: number, bytes: string | Buffer): Promise<string> {
    const socket = connectTcp(port, "127.0.0.1");
    socket.write(bytes);
    return text(socket);
  }

  test("plain text on a port with TLS is told so, or closed", async () => {
    const answer = await say(inventory.port, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"TLS_REQUIRED"');
    expect(await say(inventory.port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).toBe("");
    expect(await say(inventory.port, "\u0000\u0001\u0002")).toBe("");
    expect(await say(inventory.port, Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]))).not.toContain(
      "HTTP",
    );
  });

  test("TLS on a port without is told off in plain text", async () => {
    const socket = connectTls({ port: plain.port, host: "127.0.0.1", rejectUnauthorized: false });
    const error = await new Promise<Error>((resolve) => socket.once("error", resolve));
    expect(error).toMatchObject({ code: "ERR_SSL_WRONG_VERSION_NUMBER" });
  });

  test("everything still works afterwards", async () => {
    expect((await curl(`${localhost(inventory)}/healthz`)).stdout).toContain("ok");
    expect((await fetch(`${plain.url}/healthz`)).status).toBe(200);
  });
});

test("browsers are told to stay with TLS, but not for names of this machine", async () => {
  const headers = async (host: string) =>
    (await curl("-D", "-", "-H", `host: ${host}`, "--http1.1", `${localhost(inventory)}/healthz`))
      .stdout;
  await using named = await startTestServer({
    allowedHosts: ["shop.example"],
    tls: filesOf("inventory"),
  });
  const seen = (host: string) =>
    curl(
      "-k",
      "-D",
      "-",
      "-H",
      `host: ${host}`,
      "--http1.1",
      `https://127.0.0.1:${named.port}/healthz`,
    );
  expect((await seen("shop.example")).stdout).toContain(
    "strict-transport-security: max-age=31536000",
  );
  expect(await headers("localhost")).not.toContain("strict-transport");
});

describe("between services", () => {
  const codeOf = async (call: Promise<unknown>) =>
    call.then(
      () => "OK",
      (error: unknown) => Code[ConnectError.from(error).code],
    );
  function clientOf(caller: string, tls: TlsFiles, url = inventory.url) {
    const options = { caller, baseUrl: url, log: silentLogger, tls };
    return stack.use(createServiceClient(InventoryService, options));
  }
  const release = { reservationId: "ORD-1" };

  test.each<[string, () => [caller: string, files: TlsFiles], string]>([
    ["a service that may", () => ["order", filesOf("order")], "OK"],
    ["another name of the same certificate", () => ["reconciler", filesOf("ops")], "OK"],
    ["a service that may not", () => ["shipping", filesOf("shipping")], "PermissionDenied"],
    [
      "a name that the certificate is not for",
      () => ["order", filesOf("payment")],
      "PermissionDenied",
    ],
    [
      "a certificate of another authority",
      () => ["order", filesOf("order", { from: "others" })],
      "Unauthenticated",
    ],
  ])("%s: %s", async (_, who, expected) => {
    expect(await codeOf(clientOf(...who()).releaseReservation(release))).toBe(expected);
  });

  test("a caller without a certificate, or with an expired one, is not taken for a service", async () => {
    const expired = at("expired");
    await copyAuthority(expired);
    await issueDevelopmentCertificates({ folder: expired, services, days: -0.01 });
    const url = `${localhost(inventory)}/smartcart.inventory.v1.InventoryService/ReleaseReservation`;
    const body = ["-H", "content-type: application/json", "-d", '{"reservationId":"ORD-1"}', url];
    const pair = (from: string) => [
      "--cert",
      join(from, "order.crt"),
      "--key",
      join(from, "order.key"),
    ];
    expect((await curl(...body)).stdout).toContain("CALLER_UNKNOWN");
    expect((await curl(...pair(expired), ...body)).stdout).toContain("CALLER_UNKNOWN");
    expect((await curl(...pair(folder), ...body)).stdout).toContain("ORD-1");
  });

  test("a server that cannot prove to be the service gets no call", async () => {
    await using impostor = await startTestServer({ routes, tls: filesOf("payment") });
    const client = clientOf("order", filesOf("order"), impostor.url);
    expect(await codeOf(client.checkStock({ productId: "m", quantity: 1 }))).toBe("Unavailable");
  });

  test("renewed certificates are used from then on, and connections that are open go on", async () => {
    const own = at("own");
    await copyAuthority(own);
    await issueDevelopmentCertificates({ folder: own, services });
    const renewable = {
      MESH_TLS_CERT: join(own, "{service}.crt"),
      MESH_TLS_KEY: join(own, "{service}.key"),
    };
    const [serverFiles, clientFiles] = [
      filesOf("inventory", renewable),
      filesOf("order", renewable),
    ];
    await using server = await startTestServer({ name: "inventory", routes, tls: serverFiles });
    const client = clientOf("order", clientFiles, server.url);
    await client.releaseReservation(release);
    const session = connectHttp2(server.url, { rejectUnauthorized: false });
    const before = await servedBy(server.port);
    expect(await statusOf(session)).toBe(200);

    await issueDevelopmentCertificates({ folder: own, services });
    const after = await waitFor(
      async () => {
        const now = await servedBy(server.port);
        return now !== before && now;
      },
      { what: "the new certificate" },
    );
    expect(after).not.toBe(before);
    expect(await statusOf(session)).toBe(200);
    session.close();
    await waitFor(() => clientFiles.current().mesh?.own?.leaf !== undefined, {
      what: "the client's",
    });
    await client.releaseReservation(release);
  });

  async function copyAuthority(to: string): Promise<void> {
    await issueDevelopmentCertificates({ folder: to, services: {} });
    for (const name of ["ca.crt", "ca.key"]) await copyFile(at(name), join(to, name));
  }
});

/** The certificate that a new connection gets. */
async function servedBy(port: number): Promise<string> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await new Promise((resolve, reject) =>
    socket.once("secureConnect", resolve).once("error", reject),
  );
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

async function statusOf(session: ClientHttp2Session): Promise<number> {
  const stream = session.request({ ":path": "/healthz" });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  stream.once("response", (headers) => resolve(Number(headers[":status"]))).once("error", reject);
  stream.resume();
  return promise;
}
