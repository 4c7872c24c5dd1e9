import { describe, expect, test } from "vitest";
import type { AccessConfig } from "../src/index.ts";
import { accessFrom, createDevelopmentIssuer } from "../src/index.ts";

const unset: AccessConfig = {
  HOST: "127.0.0.1",
  MESH_SECRET: undefined,
  MESH_TLS_CERT: undefined,
  OPS_TOKEN: undefined,
  SMARTCART_OPEN: undefined,
  AUTH_ISSUER: undefined,
  AUTH_AUDIENCE: "smartcart",
  AUTH_JWKS_URL: undefined,
  AUTH_SECRET: undefined,
  AUTH_CLOCK_SKEW_SECONDS: 60,
  AUTH_OPTIONAL: undefined,
};
const secret = "a-secret-of-thirty-two-characters";
const closed = { AUTH_ISSUER: "https://issuer.example", AUTH_SECRET: secret, MESH_SECRET: secret };
const opsToken = "ops-token-0123456789";

describe("unauthenticated callers that it trusts", () => {
  test.each<[string, Partial<AccessConfig>, { customers: boolean; operators: boolean }]>([
    ["nothing on loopback", {}, { customers: true, operators: true }],
    [
      "OPS_TOKEN on loopback",
      { OPS_TOKEN: opsToken, MESH_SECRET: secret },
      { customers: true, operators: false },
    ],
    ["an issuer", closed, { customers: false, operators: false }],
    [
      "an issuer on the network",
      { ...closed, HOST: "0.0.0.0" },
      { customers: false, operators: false },
    ],
    [
      "an issuer whose tokens are optional",
      { ...closed, MESH_SECRET: undefined, AUTH_OPTIONAL: true },
      { customers: true, operators: true },
    ],
    [
      "insisting",
      { HOST: "0.0.0.0", SMARTCART_OPEN: "yes-i-know", MESH_SECRET: secret },
      { customers: true, operators: false },
    ],
  ])("%s", (_, settings, trust) => {
    expect(accessFrom({ ...unset, ...settings }).trust).toEqual(trust);
  });
});

describe("settings with which it does not start, by the variable", () => {
  test.each<[string, Partial<AccessConfig>, string, RegExp]>([
    [
      "the network without tokens",
      { HOST: "0.0.0.0" },
      "HOST",
      /^HOST=0\.0\.0\.0 would open .* SMARTCART_OPEN=yes-i-know$/,
    ],
    [
      "the network with optional tokens",
      { ...closed, HOST: "::", AUTH_OPTIONAL: true },
      "HOST",
      /unset AUTH_OPTIONAL/,
    ],
    [
      "the network with an operators' token only",
      { HOST: "10.0.0.1", OPS_TOKEN: opsToken, MESH_SECRET: secret },
      "HOST",
      /would open the shop/,
    ],
    [
      "an issuer without keys",
      { ...closed, AUTH_SECRET: undefined },
      "AUTH_JWKS_URL",
      /set either AUTH_JWKS_URL/,
    ],
    [
      "an issuer with two keys",
      { ...closed, AUTH_JWKS_URL: "https://issuer.example/jwks" },
      "AUTH_JWKS_URL",
      /not both/,
    ],
    [
      "keys without an issuer",
      { AUTH_SECRET: secret },
      "AUTH_ISSUER",
      /^AUTH_SECRET is set, but AUTH_ISSUER is not/,
    ],
    [
      "insisting without a secret of the services",
      { HOST: "0.0.0.0", SMARTCART_OPEN: "yes-i-know" },
      "MESH_SECRET",
      /^HOST=0\.0\.0\.0 is not loopback, but MESH_SECRET is not set/,
    ],
    [
      "an operators' token without a secret of the services",
      { OPS_TOKEN: opsToken },
      "MESH_SECRET",
      /^OPS_TOKEN is set, but MESH_SECRET is not/,
    ],
    [
      "an issuer without a secret of the services",
      { ...closed, MESH_SECRET: undefined },
      "MESH_SECRET",
      /services cannot authenticate/,
    ],
  ])("%s", (_, settings, variable, message) => {
    const start = () => accessFrom({ ...unset, ...settings });
    expect(start).toThrow(message);
    expect(start).toThrow(expect.objectContaining({ variable }));
  });
});

test("tokens are verified as the settings say", async () => {
  const { authenticate } = accessFrom({ ...unset, ...closed, OPS_TOKEN: opsToken });
  const issuer = { issuer: closed.AUTH_ISSUER, audience: "smartcart", secret };
  const token = await createDevelopmentIssuer(issuer)({ subject: "ada" });
  expect(await authenticate?.(`Bearer ${token}`)).toMatchObject({
    kind: "customer",
    subject: "ada",
  });
  expect(await authenticate?.(`Bearer ${opsToken}`)).toMatchObject({ kind: "operator" });
  expect(accessFrom(unset).authenticate).toBeUndefined();
});
