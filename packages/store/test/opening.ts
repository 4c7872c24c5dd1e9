import { createLogger } from "@smartcart/runtime";
import { openDatabaseServer } from "../src/index.ts";

/** How a start with that URL goes: "opened", "waits: why" with the first line of the log, or "ends: why". */
export async function openingOf(url: string): Promise<string> {
  const waiting = Promise.withResolvers<string>();
  const stop = new AbortController();
  const opening = openDatabaseServer({
    databaseUrl: url,
    stateDirectory: "/nonexistent",
    log: createLogger({ service: "test", destination: { write: waiting.resolve } }),
    signal: stop.signal,
  });
  const outcome = opening.then(
    async (server) => {
      await server[Symbol.asyncDispose]();
      return "opened";
    },
    (error) => `ends: ${error.name} ${error.message}`,
  );
  const line = waiting.promise.then((text) => `waits: ${JSON.parse(text).message}`);
  const found = await Promise.race([outcome, line]);
  stop.abort();
  await outcome;
  return found;
}
