import { describe, expect, test } from "vitest";
import { createLogger, silentLogger } from "./logger.ts";
import { delay, retryUntilReady, StartError, startWithSignal } from "./retry.ts";

describe("retryUntilReady", () => {
  const what = "PostgreSQL at db:5432";
  const variable = "DATABASE_URL";

  test("tries until it succeeds, with a line that names the variable for each failure", async () => {
    const lines: string[] = [];
    const log = createLogger({
      service: "x",
      destination: { write: (text) => void lines.push(text) },
    });
    let attempts = 0;
    const result = await retryUntilReady({
      what,
      variable,
      log,
      attempt: async () => {
        attempts++;
        if (attempts < 3) throw new AggregateError([new Error("connect ECONNREFUSED")]);
        return "ready";
      },
    });
    expect(result).toBe("ready");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain(
      "waiting for PostgreSQL at db:5432: connect ECONNREFUSED (check DATABASE_URL)",
    );
  });

  test("gives up at once on what waiting does not mend", async () => {
    const attempt = () => Promise.reject(new StartError("wrong password", { variable }));
    const result = retryUntilReady({ what, variable, log: silentLogger, attempt });
    await expect(result).rejects.toThrow("wrong password");
  });

  test("ends when the signal fires", async () => {
    const stop = new AbortController();
    const attempt = async () => {
      stop.abort();
      throw new Error("not yet");
    };
    const result = retryUntilReady({
      what,
      variable,
      log: silentLogger,
      signal: stop.signal,
      attempt,
    });
    await expect(result).rejects.toMatchObject({ name: "AbortError" });
  });
});

test("the signal also ends what an attempt waits for itself", async () => {
  const o = { what: "x", variable: "X", log: silentLogger };
  const inner = () =>
    retryUntilReady({ ...o, attempt: () => Promise.reject(new Error("not yet")) });
  const signal = AbortSignal.timeout(50);
  await expect(retryUntilReady({ ...o, signal, attempt: inner })).rejects.toMatchObject({
    name: "AbortError",
  });
});

test("the end of a start ends what waits deep inside of it", async () => {
  const stop = new AbortController();
  const starting = startWithSignal(stop.signal, () =>
    retryUntilReady({
      what: "x",
      variable: "X",
      log: silentLogger,
      attempt: () => Promise.reject(new Error("not yet")),
    }),
  );
  stop.abort();
  await expect(starting).rejects.toMatchObject({ name: "AbortError" });
});

test("delay ends early with an AbortError", async () => {
  const stop = new AbortController();
  const waiting = delay(60_000, stop.signal);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
});
