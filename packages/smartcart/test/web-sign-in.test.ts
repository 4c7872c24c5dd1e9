/** Sign-in at the page's server, and what else of a caller's identity goes through it. */
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDevelopmentIssuer, createTokenVerifier } from "@smartcart/identity";
import { silentLogger } from "@smartcart/runtime";
import { buildPage } from "../src/web/build-page.ts";
import { startWebServer } from "../src/web/server.ts";
import { signInFrom } from "../src/web/sign-in.ts";

const settings = {
  issuer: "https://issuer.example",
  audience: "smartcart",
  secret: "a-secret-of-thirty-two-characters",
};
const running = new AsyncDisposableStack();
let url: string;
let forwarded: IncomingHttpHeaders;

beforeAll(async () => {
  const service = createServer((request, response) => {
    forwarded = request.headers;
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  running.defer(() => void service.close().closeAllConnections());
  const order = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const upstreams = {
    order,
    inventory: undefined,
    status: undefined,
    log: undefined,
    ops: undefined,
  };
  const signIn = {
    signIn: { method: "development", isOpen: false },
    issueToken: createDevelopmentIssuer(settings),
  } as const;
  const base = { port: 0, host: "127.0.0.1", page: await buildPage(), log: silentLogger };
  url = running.use(await startWebServer({ ...base, upstreams, signIn })).url;
});
afterAll(() => running.disposeAsync());

const post = (body: string, type = "application/json") =>
  fetch(`${url}/auth/token`, { method: "POST", body, headers: { "content-type": type } });

test("says how visitors sign in, and gives a token by name", async () => {
  expect(await (await fetch(`${url}/auth/config`)).json()).toEqual({
    method: "development",
    isOpen: false,
  });
  const answer = await post('{"name":"Ada 👩‍🔬"}');
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const { token, subject } = (await answer.json()) as { token: string; subject: string };
  expect(subject).toBe("Ada 👩‍🔬");
  expect(await createTokenVerifier(settings)(token)).toMatchObject({ kind: "customer", subject });
});

test.each([
  ["no JSON", "name=Ada", "application/json"],
  ["a form of another site", '{"name":"Ada"}', "text/plain"],
  ["no name", "{}", "application/json"],
  ["null", "null", "application/json"],
  ["an empty name", '{"name":""}', "application/json"],
  ["a number", '{"name":1}', "application/json"],
  ["a name that turns text", '{"name":"a\u202eb"}', "application/json"],
  ["a name that is too long", JSON.stringify({ name: "a".repeat(65) }), "application/json"],
  ["a body that is too long", JSON.stringify({ name: "a".repeat(500_000) }), "application/json"],
])("%s is 400, and the server goes on", async (_, body, type) => {
  const answer = await post(body, type);
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
    400,
    "SIGN_IN_MALFORMED",
  ]);
  expect((await post('{"name":"Ada"}')).status).toBe(200);
});

test("a service's token does not go through the page; a person's does", async () => {
  await fetch(`${url}/orders/ORD-1`, {
    headers: {
      accept: "application/json",
      authorization: "Bearer a.b.c",
      "smartcart-caller": "order.1.x",
    },
  });
  expect(forwarded.authorization).toBe("Bearer a.b.c");
  expect(forwarded["smartcart-caller"]).toBeUndefined();
});

test("the page's numbers are for this machine", async () => {
  expect((await fetch(`${url}/metrics`)).status).toBe(200);
  expect(
    (await fetch(`${url}/metrics`, { headers: { "x-forwarded-for": "203.0.113.7" } })).status,
  ).toBe(404);
});

test("what the settings mean for visitors", () => {
  const unset = {
    HOST: "127.0.0.1",
    AUTH_ISSUER: undefined,
    AUTH_CLIENT_ID: undefined,
    AUTH_AUDIENCE: "smartcart",
    AUTH_SCOPE: "openid",
    AUTH_OPTIONAL: undefined,
  };
  const issuer = "https://issuer.example";
  expect(signInFrom(unset)).toEqual({ method: "none", isOpen: false });
  expect(signInFrom({ ...unset, HOST: "0.0.0.0" })).toEqual({ method: "none", isOpen: true });
  expect(signInFrom({ ...unset, HOST: "0.0.0.0", AUTH_ISSUER: issuer })).toEqual({
    method: "none",
    isOpen: false,
  });
  expect(signInFrom({ ...unset, AUTH_ISSUER: issuer, AUTH_CLIENT_ID: "shop" })).toEqual({
    method: "oidc",
    isOpen: false,
    oidc: { issuer, clientId: "shop", audience: "smartcart", scope: "openid" },
  });
  const optional = { HOST: "0.0.0.0", AUTH_ISSUER: issuer, AUTH_OPTIONAL: true };
  expect(signInFrom({ ...unset, ...optional }).isOpen).toBe(true);
  for (const AUTH_ISSUER of ["urn:issuer", "issuer.example", "javascript:alert(1)"]) {
    expect(() => signInFrom({ ...unset, AUTH_ISSUER, AUTH_CLIENT_ID: "shop" })).toThrow(
      "AUTH_ISSUER must be the URL",
    );
  }
});
