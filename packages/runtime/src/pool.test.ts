import { describe, expect, it, vi } from "vitest";
import { createLogger, silentLogger } from "./logger.ts";
import { createPool } from "./pool.ts";

/** A store of numbered work; what begins with "silent" never ends until it is let go. */
function createStore(pieces: string[]) {
  const done: string[] = [];
  const silent = Promise.withResolvers<void>();
  let underWay = 0;
  let most = 0;
  return {
    done,
    letGo: () => silent.resolve(),
    get most() {
      return most;
    },
    take: async (limit: number) => pieces.splice(0, limit),
    add: (...more: string[]) => void pieces.push(...more),
    async work(piece: string) {
      underWay += 1;
      most = Math.max(most, underWay);
      if (piece.startsWith("silent")) await silent.promise;
      else await new Promise(setImmediate);
      underWay -= 1;
      done.push(piece);
    },
  };
}

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix} ${index}`);
const never = new AbortController().signal;
const log = silentLogger;

describe("a pool", () => {
  it("does everything, and never more at once than it may", async () => {
    const store = createStore(names("quick", 50));
    await using pool = createPool({ name: "test", maxConcurrent: 4, log });
    await pool.fill({ ...store, signal: never });
    await vi.waitFor(() => expect(store.done).toHaveLength(50));
    expect(store.most).toBe(4);
  });

  it("goes on beside work that never ends, in this round and in the next", async () => {
    const store = createStore([...names("silent", 3), ...names("quick", 20)]);
    await using pool = createPool({ name: "test", maxConcurrent: 4, log });
    await pool.fill({ ...store, signal: never });
    await vi.waitFor(() => expect(store.done).toHaveLength(20));
    store.add(...names("later", 5));
    await pool.fill({ ...store, signal: never });
    await vi.waitFor(() => expect(store.done).toHaveLength(25));
    expect(store.most).toBe(4);
    store.letGo();
  });

  it("takes nothing while every place is held, and stops waiting when it is told to", async () => {
    const store = createStore([...names("silent", 4), "quick"]);
    await using pool = createPool({ name: "test", maxConcurrent: 4, log });
    const stop = new AbortController();
    const filled = pool.fill({ ...store, signal: stop.signal });
    setTimeout(() => stop.abort(), 20);
    await filled;
    expect(store.done).toEqual([]);
    store.letGo();
  });

  it("logs what fails, and goes on", async () => {
    const lines: string[] = [];
    const noisy = createLogger({
      service: "test",
      destination: { write: (line: string) => void lines.push(line) },
    });
    const store = createStore(["bad", "good"]);
    await using pool = createPool({ name: "test", maxConcurrent: 1, log: noisy });
    const work = async (piece: string) => {
      if (piece === "bad") throw new Error("broken");
      await store.work(piece);
    };
    await pool.fill({ take: store.take, work, signal: never });
    await vi.waitFor(() => expect(store.done).toEqual(["good"]));
    expect(lines.join("")).toContain("pool.work_failed");
  });

  it("waits for what is under way when it is disposed of", async () => {
    const store = createStore(["silent"]);
    const pool = createPool({ name: "test", maxConcurrent: 2, log });
    await pool.fill({ ...store, signal: never });
    setTimeout(store.letGo, 20);
    await pool[Symbol.asyncDispose]();
    expect(store.done).toEqual(["silent"]);
  });
});
