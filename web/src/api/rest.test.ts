import { afterEach, expect, test, vi } from "vitest";
import type { TokenSource } from "../session/session.ts";
import { callRest } from "./rest.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const problem = (code: string) => Response.json({ status: 401, code }, { status: 401 });

/** Answers one call after the other; tells which `Authorization` and key each of them had. */
function answering(...answers: Response[]) {
  const sent: (string | null)[] = [];
  vi.stubGlobal("fetch", async (_path: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    sent.push(`${headers.get("authorization")} ${headers.get("idempotency-key")}`);
    return answers.shift();
  });
  return sent;
}

/** Has these tokens, one after the other. */
function holding(...tokens: string[]): TokenSource {
  return {
    token: async () => tokens[0],
    async renew(refused) {
      expect(refused).toBe(tokens.shift());
      return tokens.length > 0;
    },
  };
}

const order = {
  method: "POST",
  path: "/placeOrder",
  body: "{}",
  headers: { "Idempotency-Key": "k" },
} as const;

test("bears the session's token", async () => {
  const sent = answering(Response.json({ orderId: "ORD-1" }));
  expect(await callRest(holding("one"), order)).toMatchObject({ kind: "ok" });
  expect(sent).toEqual(["Bearer one k"]);
});

test("has no Authorization without a sign-in", async () => {
  const sent = answering(Response.json({}));
  await callRest(holding(), order);
  expect(sent).toEqual(["null k"]);
});

test("repeats a call whose token is refused with the next one, and the same key", async () => {
  const sent = answering(problem("TOKEN_EXPIRED"), Response.json({ orderId: "ORD-1" }));
  expect(await callRest(holding("one", "two"), order)).toMatchObject({ kind: "ok" });
  expect(sent).toEqual(["Bearer one k", "Bearer two k"]);
});

test("repeats it once only, and not at all without another token", async () => {
  const twice = answering(problem("TOKEN_INVALID"), problem("TOKEN_INVALID"));
  expect(await callRest(holding("one", "two", "three"), order)).toMatchObject({ kind: "problem" });
  expect(twice).toHaveLength(2);
  const once = answering(problem("SIGN_IN_NEEDED"));
  const answer = await callRest(holding(), order);
  expect(answer).toMatchObject({ problem: { status: 401, code: "SIGN_IN_NEEDED" } });
  expect(once).toHaveLength(1);
});
