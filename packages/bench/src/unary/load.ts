/** The load: `h2load` for gRPC, `wrk` for HTTP/1.1. Both send a body that is prepared once. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export const path = "/smartcart.inventory.v1.InventoryService/CheckStock";
export const body = JSON.stringify({ productId: "espresso-beans", quantity: 2 });

/** What a run counted. */
interface Load {
  readonly calls: number;
  readonly callsPerSecond: number;
}

/** Bytes of an answer's message in its gRPC frame: `is_available` and the seven digits of `available`. */
const answerBytes = 5 + 6;

/** Calls at once: streams of one connection for gRPC, connections for HTTP/1.1. */
const concurrency = 50;

/** Calls over gRPC. `directory` takes the body. @throws Error where a call failed. */
export async function loadGrpc(port: number, seconds: number, directory: string): Promise<Load> {
  const file = join(directory, "check-stock.grpc");
  const id = Buffer.from("espresso-beans");
  const message = Buffer.concat([Buffer.from([0x0a, id.length]), id, Buffer.from([0x10, 2])]);
  await writeFile(file, Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
  const headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"];
  const amount = ["-c1", `-m${concurrency}`, "-t1", "-D", String(seconds)];
  const url = `http://127.0.0.1:${port}${path}`;
  const { stdout } = await run("h2load", [...amount, "-d", file, ...headers, url]);
  const good = Number(/^status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx/m.exec(stdout)?.[1]);
  // Each gRPC answer is a 200, and h2load does not read trailers; but an answer with an error has no message.
  const dataBytes = Number(/\((\d+)\) data$/m.exec(stdout)?.[1]);
  if (dataBytes !== good * answerBytes) throw new Error(`calls failed by grpc-status:\n${stdout}`);
  return counted(good, /finished in ([\d.]+)s/.exec(stdout)?.[1], stdout);
}

/** Calls by Connect's JSON over HTTP/1.1. @throws Error where a call failed. */
export async function loadJson(port: number, seconds: number, directory: string): Promise<Load> {
  const script = join(directory, "check-stock.lua");
  await writeFile(
    script,
    `wrk.method = "POST"\nwrk.body = '${body}'\nwrk.headers["Content-Type"] = "application/json"\n`,
  );
  const url = `http://127.0.0.1:${port}${path}`;
  const { stdout } = await run("wrk", [
    "-t1",
    `-c${concurrency}`,
    `-d${seconds}s`,
    "-s",
    script,
    url,
  ]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`calls failed:\n${stdout}`);
  const [, calls, duration] = /(\d+) requests in ([\d.]+)s/.exec(stdout) ?? [];
  return counted(Number(calls), duration, stdout);
}

function counted(calls: number, seconds: string | undefined, output: string): Load {
  const callsPerSecond = calls / Number(seconds);
  if (Number.isFinite(callsPerSecond) && calls > 0) return { calls, callsPerSecond };
  throw new Error(`the load generator counted nothing:\n${output}`);
}
