/**
 * Honest customers as a process of their own: orders at a steady rate until it is told to stop, each repeated with its key
 * until there is an answer. Its arguments: base URL of the order service, product, orders per second.
 */
import { Agent, request } from "node:http";
import { delay } from "@smartcart/runtime";

/** The result of one order. */
export interface Placed {
  /** Undefined: no final answer after all repetitions. */
  readonly orderId: string | undefined;
  /** From the first request to the answer. */
  readonly tookMs: number;
  /** Requests that got none, or a 5xx or 429. */
  readonly repeats: number;
}

const [url = "", productId = "", rateText = "1"] = process.argv.slice(2);
const ratePerSecond = Number(rateText);
// From another address than the attackers, so that their rate limits do not apply; on Linux all of 127.0.0.0/8 is this machine.
const agent = new Agent({ keepAlive: true, maxSockets: 64, localAddress: "127.0.0.2" });
const tickMs = 10;
/** Most requests in flight, so that the load does not measure its own queue of requests. */
const maxWaiting = 200;
const requestTimeoutMs = 30_000;
const givesUpAfterMs = 60_000;
const repeatAfterMs = 500;

let waiting = 0;
let number = 0;
let due = 0;
let lastAt = performance.now();
const ticker = setInterval(() => {
  const now = performance.now();
  due = Math.min(due + ((now - lastAt) / 1_000) * ratePerSecond, ratePerSecond);
  lastAt = now;
  while (due >= 1 && waiting < maxWaiting) {
    due -= 1;
    waiting += 1;
    void place(`soak-${process.pid}-${number++}`).then((placed) => {
      waiting -= 1;
      process.send?.(placed);
    });
  }
}, tickMs);

process.on("disconnect", () => process.exit());
process.on("message", async () => {
  clearInterval(ticker);
  while (waiting > 0) await delay(tickMs);
  agent.destroy();
  process.disconnect();
});

async function place(key: string): Promise<Placed> {
  const startedAt = performance.now();
  for (let repeats = 0; ; repeats++) {
    const orderId = await ask(key).catch(() => undefined);
    const tookMs = performance.now() - startedAt;
    if (orderId !== undefined || tookMs > givesUpAfterMs) return { orderId, tookMs, repeats };
    await delay(repeatAfterMs);
  }
}

/** The order's id; undefined where the answer is not final. */
function ask(key: string): Promise<string | undefined> {
  const body = JSON.stringify({
    userId: key,
    items: [{ productId, quantity: 1 }],
    address: "1 Main St",
  });
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const outgoing = request(`${url}/placeOrder`, {
    method: "POST",
    agent,
    headers: {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "idempotency-key": key,
    },
    timeout: requestTimeoutMs,
  });
  outgoing.on("timeout", () => outgoing.destroy());
  outgoing.on("error", reject);
  outgoing.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    response.on("error", reject);
    response.on("end", () => {
      const isTaken = response.statusCode === 201 || response.statusCode === 202;
      resolve(isTaken ? (JSON.parse(text) as { orderId: string }).orderId : undefined);
    });
  });
  outgoing.end(body);
  return promise;
}
