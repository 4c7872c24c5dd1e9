import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createObservable } from "../observable.ts";
import type { HeldToken } from "./held-token.ts";
import { dropWhenExpired, holdToken, parseHeldToken } from "./held-token.ts";

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const tokenOf = (claims: object) => `${encode({ alg: "none" })}.${encode(claims)}.signature`;
const nowMs = 1_800_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: nowMs });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("what is read of a token", () => {
  test("whose it is, and its lifetime from now, whatever the browser's clock says", () => {
    const token = tokenOf({ sub: "Zoë", iat: 1_000, exp: 4_600, scope: "openid operator" });
    expect(holdToken(token, nowMs, { idToken: "id" })).toEqual({
      token,
      subject: "Zoë",
      name: "Zoë",
      expiresAtMs: nowMs + 3_600_000,
      isOperator: true,
      idToken: "id",
    });
  });

  test("without the time of its issue, it expires when it says", () => {
    const held = holdToken(tokenOf({ sub: "u1", exp: nowMs / 1_000 + 60 }), nowMs, { name: "Ada" });
    expect(held).toMatchObject({ name: "Ada", expiresAtMs: nowMs + 60_000, isOperator: false });
  });

  test.each(["", "opaque", "a.b.c", tokenOf({ sub: "u1" }), tokenOf({ exp: 1 }), "a.bnVsbA.c"])(
    "%j is none for this shop",
    (token) => {
      expect(holdToken(token, nowMs)).toBeUndefined();
    },
  );
});

describe("a stored token", () => {
  const held = { token: "t", subject: "u1", name: "u1", expiresAtMs: nowMs + 1, isOperator: false };

  test("is taken until it expires", () => {
    expect(parseHeldToken(JSON.stringify(held))).toEqual(held);
    expect(parseHeldToken(JSON.stringify({ ...held, expiresAtMs: nowMs }))).toBeUndefined();
  });

  test.each([null, "", "{", "null", "7", "[]", '{"token":1}', '{"token":"t","subject":"u"}'])(
    "%j is none",
    (text) => {
      expect(parseHeldToken(text)).toBeUndefined();
    },
  );

  test("is dropped in the moment in which it expires, and not before, however long that takes", () => {
    const longMs = 2 ** 31 + 5_000;
    const stored = createObservable<HeldToken | undefined>(undefined);
    const expired = vi.fn();
    dropWhenExpired(stored, expired);
    stored.set({ ...held, expiresAtMs: nowMs + longMs });
    vi.advanceTimersByTime(longMs - 1);
    expect(stored.get()).toBeDefined();
    vi.advanceTimersByTime(1);
    expect(stored.get()).toBeUndefined();
    expect(expired).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});
