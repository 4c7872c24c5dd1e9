import { X509Certificate } from "node:crypto";
import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger, silentLogger } from "@smartcart/runtime";
import { makeTemporaryDirectory, waitFor } from "@smartcart/testkit";
import type { TlsConfig } from "../src/index.ts";
import { checkTlsFiles, openTlsFiles, servicesIn } from "../src/index.ts";
import { issueDevelopmentCertificates } from "../src/tls/development-ca.ts";

const stack = new AsyncDisposableStack();
let folder: string;
const at = (name: string) => join(folder, name);
const unset: TlsConfig = {
  TLS_CERT: undefined,
  TLS_KEY: undefined,
  MESH_TLS_CA: undefined,
  MESH_TLS_CERT: undefined,
  MESH_TLS_KEY: undefined,
};
const services = { order: [], ops: ["reconciler"] };

beforeAll(async () => {
  folder = stack.use(await makeTemporaryDirectory()).path;
  await issueDevelopmentCertificates({ folder, services });
  await issueDevelopmentCertificates({ folder: at("expired"), services, days: -0.01 });
  await writeFile(at("words.txt"), "no certificate at all\n");
  await copyFile(at("ca.crt"), at("broken.crt"));
  await writeFile(
    at("broken.crt"),
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  );
});
afterAll(() => stack[Symbol.asyncDispose]());

const port = () => ({ ...unset, TLS_CERT: at("server.crt"), TLS_KEY: at("server.key") });
const mesh = () => ({
  ...unset,
  MESH_TLS_CA: at("ca.crt"),
  MESH_TLS_CERT: at("{service}.crt"),
  MESH_TLS_KEY: at("{service}.key"),
});

describe("what cannot be used is one line that names the variable", () => {
  test.each<[string, () => Partial<TlsConfig>, RegExp]>([
    ["no key", () => ({ TLS_KEY: undefined }), /^TLS_KEY is not set, but TLS_CERT/],
    ["no certificate", () => ({ TLS_CERT: undefined }), /^TLS_CERT is not set, but TLS_KEY/],
    ["no such file", () => ({ TLS_CERT: at("none") }), /^TLS_CERT: .*none does not exist; name/],
    ["a folder", () => ({ TLS_KEY: folder }), /^TLS_KEY: .* is a folder; name a PEM file$/],
    ["words", () => ({ TLS_CERT: at("words.txt") }), /^TLS_CERT: .* has no certificate in PEM/],
    ["a broken one", () => ({ TLS_CERT: at("broken.crt") }), /^TLS_CERT: .* cannot be read; write/],
    [
      "words as key",
      () => ({ TLS_KEY: at("words.txt") }),
      /^TLS_KEY: .* has no private key in PEM/,
    ],
    ["another's key", () => ({ TLS_KEY: at("order.key") }), /^TLS_KEY: .* does not belong to the/],
    [
      "an expired one",
      () => ({ TLS_CERT: at("expired/server.crt"), TLS_KEY: at("expired/server.key") }),
      /^TLS_CERT: .* expired at 20.*Z; renew it$/,
    ],
    ["half of the mesh", () => ({ MESH_TLS_CA: at("ca.crt") }), /^MESH_TLS_CERT is not set, but M/],
    [
      "another service's",
      () => ({
        ...mesh(),
        ...port(),
        ...mesh(),
        MESH_TLS_CERT: at("ops.crt"),
        MESH_TLS_KEY: at("ops.key"),
      }),
      /^MESH_TLS_CERT: .*ops.crt is for ops and reconciler, but this is order; use \{service\}/,
    ],
    [
      "a public one as a service's",
      () => ({ ...mesh(), MESH_TLS_CERT: at("server.crt"), MESH_TLS_KEY: at("server.key") }),
      /^MESH_TLS_CERT: .* is for no service, but this is order/,
    ],
  ])("%s", (_, wrong, message) => {
    const config = { ...port(), ...wrong() };
    expect(() => checkTlsFiles(config, "order")).toThrow(message);
    const error = expect(() => openTlsFiles({ config, service: "order", log: silentLogger }));
    error.toThrow(message);
  });

  test("what is right is taken, and nothing where nothing is set", () => {
    expect(() => checkTlsFiles({ ...port(), ...mesh() }, "order")).not.toThrow();
    expect(openTlsFiles({ config: unset, service: "order", log: silentLogger })).toBeUndefined();
  });
});

test("files that change are taken over while it runs, and what is wrong leaves the old ones in use", async () => {
  const lines: string[] = [];
  const log = createLogger({
    service: "order",
    destination: { write: (line) => lines.push(line) },
  });
  const config = { ...unset, TLS_CERT: at("own.crt"), TLS_KEY: at("own.key") };
  const copy = async (name: string, ending: string) =>
    copyFile(at(`${name}.${ending}`), at(`own.${ending}`));
  await copy("server", "crt");
  await copy("server", "key");
  const files = openTlsFiles({ config, service: "order", log, intervalMs: 5 });
  if (files === undefined) throw new Error("there are files");
  stack.use(files);
  let renewals = 0;
  files.onRenewed(() => (renewals += 1));
  const first = files.current();

  await copy("order", "crt");
  await waitFor(() => lines.some((line) => line.includes("tls.not_renewed")), { what: "a line" });
  expect(lines.join("")).toContain("does not belong to the certificate");
  expect(files.current()).toBe(first);

  await copy("order", "key");
  await waitFor(() => renewals > 0, { what: "the new certificate" });
  expect(files.current().port?.leaf.subjectAltName).toBe("DNS:order.smartcart.internal");
});

test("certificates are for this user only, and issuing again keeps the authority", async () => {
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
  const own = at("again");
  const names = await issueDevelopmentCertificates({ folder: own, services });
  expect(names).toContain("order.crt");
  expect(await modeOf(own)).toBe(0o700);
  for (const name of names.filter((one) => one.endsWith(".key"))) {
    expect(await modeOf(join(own, name))).toBe(0o600);
  }
  const read = async (name: string) => new X509Certificate(await readFile(join(own, name)));
  const [authority, order] = [await read("ca.crt"), await read("order.crt")];
  await issueDevelopmentCertificates({ folder: own, services });
  expect((await read("ca.crt")).fingerprint256).toBe(authority.fingerprint256);
  const renewed = await read("order.crt");
  expect(renewed.fingerprint256).not.toBe(order.fingerprint256);
  expect(renewed.verify(authority.publicKey)).toBe(true);
  expect(servicesIn(await read("ops.crt"))).toEqual(["ops", "reconciler"]);
  expect(servicesIn(await read("server.crt"))).toEqual([]);
});

test.each([
  ["DNS:order.smartcart.internal", ["order"]],
  ["DNS:*.smartcart.internal", []],
  ["DNS:order.smartcart.internal.evil.example, IP Address:127.0.0.1", []],
  ["URI:x, DNS:evil-order.smartcart.internal.", []],
  ['URI:"a, DNS:order.smartcart.internal, DNS:b"', []],
  ["DNS:a.b.smartcart.internal", []],
])("%s is for %j", (subjectAltName, expected) => {
  expect(servicesIn({ subjectAltName } as X509Certificate)).toEqual(expected);
});
