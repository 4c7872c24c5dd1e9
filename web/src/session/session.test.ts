import { describe, expect, test } from "vitest";
import { createObservable } from "../observable.ts";
import type { HeldToken } from "./held-token.ts";
import type { Session } from "./session.ts";
import { createSession } from "./session.ts";
import type { SignIn } from "./sign-in.ts";

const oidc = {
  issuer: "https://issuer.example",
  clientId: "page",
  audience: "shop",
  scope: "openid",
};
const development: SignIn = { method: "development", isOpen: false };
const provider: SignIn = { method: "oidc", isOpen: false, oidc };
const none: SignIn = { method: "none", isOpen: false };

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const held: HeldToken = {
  token: "theirs",
  subject: "u1",
  name: "Ada",
  expiresAtMs: Date.now() + 60_000,
  isOperator: false,
  idToken: "id",
};

/** A session at a server that answers with `signIn`, and what it asked the server and the provider for. */
function open(signIn: SignIn | undefined, options: { name?: string; stored?: HeldToken } = {}) {
  const asked: string[] = [];
  const server = { signIn, name: options.name ?? "", issues: true };
  const stored = createObservable<HeldToken | undefined>(options.stored);
  const session: Session = createSession({
    stored,
    name: () => server.name,
    api: {
      async readSignIn() {
        asked.push("config");
        return server.signIn;
      },
      async issueToken(name) {
        asked.push(name);
        const claims = { sub: name, iat: 0, exp: 60, jti: asked.length };
        return server.issues ? `h.${encode(claims)}.s` : undefined;
      },
    },
    provider: async () => ({
      async beginSignIn(settings) {
        asked.push(`begin at ${settings.issuer}`);
        if (!server.issues) throw new Error("no answer");
      },
      async endSession(settings, idToken) {
        asked.push(`end ${idToken} at ${settings.issuer}`);
      },
    }),
  });
  return { session, server, stored, asked };
}

describe("in development", () => {
  test("the name signs in by itself, once for all calls, and another name anew", async () => {
    const { session, server, asked } = open(development, { name: " Ada " });
    const [one, two] = await Promise.all([session.token(), session.token()]);
    expect(one).toBe(two);
    expect(await session.token()).toBe(one);
    expect(session.current()?.subject).toBe("Ada");
    server.name = "Grace";
    expect(await session.token()).not.toBe(one);
    expect(session.current()?.subject).toBe("Grace");
    expect(asked).toEqual(["config", "Ada", "Grace"]);
  });

  test("without a name, there is no sign-in", async () => {
    const { session, asked } = open(development);
    expect(await session.token()).toBeUndefined();
    expect(await session.renew(undefined)).toBe(false);
    expect(session.refusal()).toBe("needed");
    expect(asked).toEqual(["config"]);
  });

  test("a token that is refused is replaced, once for all calls", async () => {
    const { session, asked } = open(development, { name: "Ada" });
    const first = await session.token();
    expect(await Promise.all([session.renew(first), session.renew(first)])).toEqual([true, true]);
    expect(await session.token()).not.toBe(first);
    expect(session.refusal()).toBe("");
    expect(asked).toEqual(["config", "Ada", "Ada"]);
  });

  test("a sign-in that fails is said, and tried again with the next call", async () => {
    const { session, server } = open(development, { name: "Ada" });
    server.issues = false;
    expect(await session.token()).toBeUndefined();
    expect(await session.renew("refused")).toBe(false);
    expect(session.refusal()).toBe("expired");
    server.issues = true;
    expect(await session.token()).toBeDefined();
    expect(session.refusal()).toBe("");
  });
});

describe("at a provider", () => {
  test("a call bears the token at hand, and never signs in by name", async () => {
    const { session, stored, asked } = open(provider, { name: "Grace" });
    expect(await session.token()).toBeUndefined();
    session.accept(held);
    expect(await session.token()).toBe("theirs");
    expect(stored.get()).toBe(held);
    expect(asked).toEqual(["config"]);
  });

  test("a token that is refused is dropped, and the page says to sign in again", async () => {
    const { session } = open(provider, { stored: held });
    expect(await session.renew("theirs")).toBe(false);
    expect([session.current(), session.refusal()]).toEqual([undefined, "expired"]);
  });

  test("a call without a token says to sign in", async () => {
    const { session } = open(provider);
    expect(await session.renew(undefined)).toBe(false);
    expect(session.refusal()).toBe("needed");
  });

  test("who signed in meanwhile in another tab tries again", async () => {
    const { session, stored } = open(provider);
    stored.set(held);
    expect(await session.renew(undefined)).toBe(true);
    expect(await session.renew("older")).toBe(true);
  });

  test("signing out forgets the token before it asks the provider", async () => {
    const { session, asked } = open(provider, { stored: held });
    const out = session.signOut();
    expect(session.current()).toBeUndefined();
    await out;
    expect(asked).toEqual(["config", "end id at https://issuer.example"]);
  });

  test("a provider that does not answer is said", async () => {
    const { session, server } = open(provider);
    server.issues = false;
    await session.begin();
    expect(session.refusal()).toBe("unreachable");
  });
});

test("where the shop has no sign-in, an old stored token is not sent, and a refusal is final", async () => {
  const { session } = open(none, { stored: held });
  expect(await session.token()).toBeUndefined();
  expect(await session.renew(undefined)).toBe(false);
  expect(session.refusal()).toBe("impossible");
});

test("a server that does not say how to sign in is asked again", async () => {
  const { session, server, asked } = open(undefined, { name: "Ada" });
  expect(await session.token()).toBeUndefined();
  server.signIn = development;
  expect(await session.token()).toBeDefined();
  expect(asked).toEqual(["config", "config", "Ada"]);
});

test("listeners hear of the way to sign in, of tokens and of refusals", async () => {
  const { session, stored } = open(provider);
  const heard: string[] = [];
  const end = session.subscribe(() => heard.push(session.refusal() || typeof session.current()));
  await session.renew(undefined);
  stored.set(held);
  end();
  stored.set(undefined);
  expect(heard).toContain("needed");
  expect(heard.at(-1)).toBe("object");
});
