/** No request of a stranger ends the shop: ten thousand connections to the page of a real one, and all services are alive. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase } from "@smartcart/testkit";
import { hostileConnection } from "./hostile-requests.ts";
import { sendRaw } from "./raw-http.ts";
import { seedBody, wholeLife } from "./stack.ts";
import type { WholeProcess } from "./whole-process.ts";
import { choosePorts, startWhole } from "./whole-process.ts";

const caseCount = 10_000;
const atOnce = 40;
/** Most of them end by themselves; what waits for more is given up, as a stranger would. */
const patienceMs = 150;

const running = new AsyncDisposableStack();
let shop: WholeProcess;
beforeAll(async () => {
  const state = await mkdtemp(join(tmpdir(), "smartcart-strangers-"));
  running.defer(() => rm(state, { recursive: true, force: true }));
  const database = running.use(await createTestDatabase());
  shop = running.use(
    await startWhole({
      ...(await choosePorts()),
      DATABASE_URL: database.url,
      SMARTCART_STATE: state,
      SHIPPING_DELAY_MS: "100",
    }),
  );
});
afterAll(() => running.disposeAsync());

async function expectAllAlive(): Promise<void> {
  for (const [service, url] of Object.entries(shop.urls)) {
    const { status } = await fetch(`${url}/readyz`);
    expect(status, service).toBe(200);
  }
}

it(`${caseCount} hostile connections`, { timeout: 300_000 }, async () => {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
  process.stdout.write(`hostile connections: FC_SEED=${seed}\n`);
  const cases = fc.sample(hostileConnection, { seed, numRuns: caseCount });
  const page = shop.urls.web ?? "";
  let answered = 0;
  const failures: string[] = [];
  const sendAll = async (): Promise<void> => {
    for (let one = cases.pop(); one !== undefined; one = cases.pop()) {
      const answer = await sendRaw(page, one, {
        patienceMs: patienceMs,
        halfClose: cases.length % 2 === 0,
      });
      if (answer !== "") answered += 1;
      if (/^HTTP\/1\.1 500 /m.test(answer)) failures.push(JSON.stringify(one).slice(0, 1_000));
      if (cases.length % 2_000 === 0) await expectAllAlive();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendAll));
  await expectAllAlive();
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(caseCount / 2);
  expect(shop.output()).not.toMatch(/process\.(crashed|error-escaped)|web\.request-failed/);
  const { status, body } = await shop.place(seedBody);
  expect(status).toBe(201);
  expect(await shop.history(body.orderId, "Shipped")).toEqual(wholeLife);
});
