import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import {
  createDevelopmentIssuer,
  createTokenVerifier,
  KeysUnavailableError,
  TokenError,
} from "../src/index.ts";

const issuer = "https://issuer.example";
const audience = "smartcart";
const secret = "a-secret-of-thirty-two-characters";
const verify = createTokenVerifier({ issuer, audience, secret, clockSkewSeconds: 5 });
const now = () => Math.floor(Date.now() / 1_000);

/** A good token, but for what is said. */
function sign(
  claims: Record<string, unknown>,
  o: { readonly key?: string; readonly alg?: string } = {},
): Promise<string> {
  const payload = { sub: "ada", iss: issuer, aud: audience, exp: now() + 60, ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: o.alg ?? "HS256" })
    .sign(new TextEncoder().encode(o.key ?? secret));
}

async function faultOf(token: string): Promise<string> {
  try {
    await verify(token);
  } catch (error) {
    expect(error).toBeInstanceOf(TokenError);
    if (token.length > 20) expect((error as Error).message).not.toContain(token);
    return (error as TokenError).fault;
  }
  return "none";
}

describe("with a secret", () => {
  test("a customer by the subject, an operator by the scope", async () => {
    const exp = now() + 60;
    const expiresAtMs = (exp + 5) * 1_000;
    expect(await verify(await sign({ exp }))).toEqual({
      kind: "customer",
      subject: "ada",
      expiresAtMs,
    });
    expect(await verify(await sign({ exp, scope: "openid operator" }))).toMatchObject({
      kind: "operator",
      subject: "ada",
    });
    expect(await verify(await sign({ scope: "operators" }))).toMatchObject({ kind: "customer" });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["has expired", { exp: now() - 10 }, "expired"],
    ["is not good yet", { nbf: now() + 60 }, "invalid"],
    ["is of another issuer", { iss: "https://evil.example" }, "invalid"],
    ["is for another audience", { aud: "another" }, "invalid"],
    ["has no audience", { aud: [] }, "invalid"],
    ["has no subject", { sub: undefined }, "invalid"],
    ["has an empty subject", { sub: "" }, "invalid"],
    ["has a subject that is no user_id", { sub: "a\u202eb" }, "invalid"],
    ["has a subject that is too long", { sub: "a".repeat(65) }, "invalid"],
    ["never expires", { exp: undefined }, "invalid"],
  ])("a token that %s proves nothing", async (_, claims, fault) => {
    expect(await faultOf(await sign(claims))).toBe(fault);
  });

  test("neither does one that is unsigned, signed by another, or signed in another way", async () => {
    const unsigned = new UnsecuredJWT({
      sub: "ada",
      iss: issuer,
      aud: audience,
      exp: now() + 60,
    }).encode();
    expect(await faultOf(unsigned)).not.toBe("none");
    expect(await faultOf(await sign({}, { key: "another-secret-of-many-characters" }))).toBe(
      "invalid",
    );
    expect(await faultOf(await sign({}, { alg: "HS512", key: secret.repeat(2) }))).toBe("invalid");
  });

  test("neither does any other text, and a token of which one character was changed", async () => {
    const good = await sign({});
    const changed = fc
      .tuple(fc.nat(good.length - 2), fc.constantFrom(..."abcXYZ019_-."))
      .map(([at, character]) => good.slice(0, at) + character + good.slice(at + 1));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), changed, fc.string({ maxLength: 20_000 })),
        async (token) => {
          fc.pre(token !== good);
          expect(await faultOf(token)).not.toBe("none");
        },
      ),
    );
  });

  test("a cached token is rejected when it has expired", async () => {
    const strict = createTokenVerifier({ issuer, audience, secret, clockSkewSeconds: 0 });
    const exp = now() + 2;
    const token = await sign({ exp });
    await strict(token);
    while (Date.now() < exp * 1_000) await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(async () => strict(token)).rejects.toMatchObject({ fault: "expired" });
  });

  test("the development issuer's tokens are good", async () => {
    const issue = createDevelopmentIssuer({ issuer, audience, secret });
    expect(await verify(await issue({ subject: "ada" }))).toMatchObject({
      kind: "customer",
      subject: "ada",
    });
    expect(await verify(await issue({ subject: "bo", isOperator: true }))).toMatchObject({
      kind: "operator",
    });
  });
});

describe("with the issuer's published keys", async () => {
  const pair = await generateKeyPair("ES256");
  const served = {
    status: 200,
    keys: [{ ...(await exportJWK(pair.publicKey)), kid: "1", alg: "ES256" }],
  };
  const server = createServer((_, response) => {
    response.writeHead(served.status, { "content-type": "application/json" });
    response.end(JSON.stringify({ keys: served.keys }));
  });
  const jwksUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  const token = (key = pair.privateKey) =>
    new SignJWT({ sub: "ada", iss: issuer, aud: audience, exp: now() + 60 })
      .setProtectedHeader({ alg: "ES256", kid: "1" })
      .sign(key);
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => void server.close());

  it("takes what they signed, and nothing signed by others or by their public half as a secret", async () => {
    const byKeys = createTokenVerifier({ issuer, audience, jwksUrl: jwksUrl() });
    expect(await byKeys(await token())).toMatchObject({ subject: "ada" });
    const other = await generateKeyPair("ES256");
    await expect(async () => byKeys(await token(other.privateKey))).rejects.toThrow(TokenError);
    const confused = await sign({}, { key: JSON.stringify(served.keys[0]) });
    await expect(async () => byKeys(confused)).rejects.toThrow(TokenError);
  });

  it("reports that it cannot verify while they cannot be read", async () => {
    const byKeys = createTokenVerifier({ issuer, audience, jwksUrl: jwksUrl() });
    served.status = 500;
    await expect(async () => byKeys(await token())).rejects.toThrow(KeysUnavailableError);
    served.status = 200;
    expect(await byKeys(await token())).toMatchObject({ subject: "ada" });
  });
});
