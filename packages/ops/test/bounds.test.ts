/** What those at the console may cost together. */
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createWorld } from "./world.ts";

const patience = { timeout: 15_000 };

test("so many may watch the mesh, and one more is told so; who leaves makes room", async () => {
  await using world = await createWorld("postgres");
  const stop = new AbortController();
  let watching = 0;
  const watchers = Array.from({ length: 50 }, async () => {
    for await (const _ of world.client.watchMesh({}, { signal: stop.signal })) watching += 1;
  });
  const ended = Promise.allSettled(watchers);
  await expect.poll(() => watching, patience).toBeGreaterThanOrEqual(50);
  const watch = async () => {
    const mine = new AbortController();
    try {
      for await (const _ of world.client.watchMesh({}, { signal: mine.signal })) return "watched";
    } catch (error) {
      return Code[ConnectError.from(error).code];
    } finally {
      mine.abort();
    }
    return "nothing";
  };
  expect(await watch()).toBe("ResourceExhausted");
  stop.abort();
  await ended;
  await expect.poll(watch, patience).toBe("watched");
});

test("repairs that are asked for at once share their looks", async () => {
  await using world = await createWorld("postgres", { OPS_CHECK_INTERVAL_MS: "600000" });
  // The schemas of the other services are not there, so each look fails, with an error of its own.
  const looks = await Promise.all(
    Array.from({ length: 15 }, () =>
      world.client.reconcile({}).catch((error: unknown) => ConnectError.from(error).cause),
    ),
  );
  expect(looks).toHaveLength(15);
  // One that was under way when some came, and the next, which all that came meanwhile share.
  expect(new Set(looks).size).toBeLessThanOrEqual(2);
});
