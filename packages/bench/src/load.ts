/** The load: `wrk`, since a generator on Node would need as much CPU as what it measures. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { StartError } from "@smartcart/runtime";

const run = promisify(execFile);
const script = fileURLToPath(new URL("./place-order.lua", import.meta.url));

interface LoadOptions {
  /** Base URLs of the order service's processes; each gets its share of the connections. */
  readonly urls: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** How many products the orders are spread over. */
  readonly products: number;
  /** Lines per order. */
  readonly lines: number;
  readonly seed: number;
  /** See `Contender.tokensFile`. */
  readonly tokensFile?: string | undefined;
}

interface LoadResult {
  /** Answers, good or bad. */
  readonly requests: number;
  /** Answers of 400 and more. */
  readonly failed: number;
  /** Connections that failed or broke, and requests without an answer. */
  readonly broken: number;
  readonly durationMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** @throws StartError where `wrk` is not installed. */
export async function load(o: LoadOptions): Promise<LoadResult> {
  const connections = Math.ceil(o.connections / o.urls.length);
  const results = await Promise.all(o.urls.map((url) => loadOne(url, { ...o, connections })));
  return results.reduce((all, one) => ({
    requests: all.requests + one.requests,
    failed: all.failed + one.failed,
    broken: all.broken + one.broken,
    durationMs: Math.max(all.durationMs, one.durationMs),
    // The slowest of several processes.
    p50Ms: Math.max(all.p50Ms, one.p50Ms),
    p99Ms: Math.max(all.p99Ms, one.p99Ms),
  }));
}

async function loadOne(url: string, o: LoadOptions): Promise<LoadResult> {
  const args = ["-t1", `-c${o.connections}`, `-d${o.seconds}s`, "--timeout", "10s"];
  const env = {
    PATH: process.env.PATH ?? "",
    BENCH_PRODUCTS: String(o.products),
    BENCH_LINES: String(o.lines),
    BENCH_SEED: String(o.seed),
    ...(o.tokensFile !== undefined && { BENCH_TOKENS: o.tokensFile }),
  };
  const { stdout } = await run("wrk", [...args, "-s", script, url], { env }).catch((error) => {
    if (error.code !== "ENOENT") throw error;
    throw new StartError(
      "wrk is not installed (Debian: apt-get install wrk; macOS: brew install wrk)",
    );
  });
  const result = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (result === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
  return JSON.parse(result);
}
