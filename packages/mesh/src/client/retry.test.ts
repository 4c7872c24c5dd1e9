import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RetryPolicySchema } from "@smartcart/gen/mesh/v1/options_pb";
import type { Bounds } from "./call-bounds.ts";
import type { Repetition } from "./retry.ts";
import { retrying } from "./retry.ts";

const policy = create(RetryPolicySchema, {
  maxAttempts: 4,
  initialBackoffMs: 50,
  maxBackoffMs: 120,
});
const unbounded: Bounds = { signal: undefined, deadlineAtMs: undefined, chosen: false };
const unavailable = new ConnectError("not now", Code.Unavailable);

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("pauses double up to their bound, and the last error is thrown", async () => {
  const repetitions: Repetition[] = [];
  const attempt = vi.fn(() => Promise.reject(unavailable));
  const result = retrying(policy, unbounded, attempt, (one) => repetitions.push(one));
  await expect(result).rejects.toBe(unavailable);
  expect(attempt).toHaveBeenCalledTimes(4);
  expect(repetitions).toEqual(
    [25, 50, 60].map((delayMs, i) => ({ attempt: i + 1, delayMs, error: unavailable })),
  );
});

test("a pause ends with the call's deadline and with its signal", async () => {
  const attempt = vi.fn(() => Promise.reject(unavailable));
  const long = create(RetryPolicySchema, {
    maxAttempts: 3,
    initialBackoffMs: 3_600_000,
    maxBackoffMs: 3_600_000,
  });
  const inTime = { ...unbounded, deadlineAtMs: Date.now() + 20 };
  await expect(retrying(long, inTime, attempt, () => {})).rejects.toMatchObject({
    code: Code.DeadlineExceeded,
  });
  const hangUp = new AbortController();
  const signalled = { ...unbounded, signal: hangUp.signal };
  const result = retrying(long, signalled, attempt, () => hangUp.abort(new Error("hung up")));
  await expect(result).rejects.toThrow("hung up");
  expect(attempt).toHaveBeenCalledTimes(2);
});
