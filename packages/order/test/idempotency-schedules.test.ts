/** Requests with the same keys at the same time, by processes that die: one order per key, and one answer. */
import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { propertyOptions, waitFor } from "@smartcart/testkit";
import { allCrashPoints } from "../src/crash-points.ts";
import { startResumer } from "../src/saga/resumer.ts";
import type { OrderProcess } from "./order-process.ts";
import { InterruptedError, startProcess } from "./order-process.ts";
import { createWorld } from "./scripted-peers.ts";
import { openOrders } from "./setup.ts";

let orders: Awaited<ReturnType<typeof openOrders>>;
beforeAll(async () => {
  orders = await openOrders();
});
afterAll(() => orders[Symbol.asyncDispose]());

const bodies = {
  one: { address: "1 Main St" },
  other: { address: "2 Main St" },
  declined: { paymentToken: "tok_declined" },
} as const;
type Body = keyof typeof bodies;

interface Request {
  readonly key: string;
  readonly body: Body;
  /** Which of the two processes is asked. */
  readonly process: number;
}

const request: fc.Arbitrary<Request> = fc.record({
  key: fc.constantFrom("a", "b"),
  body: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Body>("one") },
    { weight: 1, arbitrary: fc.constantFrom<Body>("other", "declined") },
  ),
  process: fc.nat(1),
});
/** Requests that are made at once, in rounds; each process may die at a point, and may be quick to answer PENDING. */
const schedule = fc.record({
  rounds: fc.array(fc.array(request, { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 3,
  }),
  deaths: fc.tuple(
    fc.option(fc.constantFrom(...allCrashPoints)),
    fc.option(fc.constantFrom(...allCrashPoints)),
  ),
  answerTimeoutMs: fc.constantFrom(0, 10_000),
});

/** What a request came to: the bytes of its answer, or the code of its refusal. */
type Reply = { readonly answer: string } | { readonly refusal: string; readonly http?: number };

let runs = 0;

it("is one order per key, and the same answer to the byte, whichever process is asked and whichever dies", async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async ({ rounds, deaths, answerTimeoutMs }) => {
      const prefix = `schedule-${runs++}-`;
      const { world, peers } = createWorld();
      const { database } = orders;
      const processes = deaths.map((point) => {
        const started = startProcess({ database, peers, answerTimeoutMs });
        if (point) started.dieAt(point);
        return started;
      });
      const replies: { request: Request; reply: Reply }[] = [];
      for (const round of rounds) {
        const asked = round.map(async (request) => ({
          request,
          reply: await ask(processes[request.process] as OrderProcess, prefix, request),
        }));
        replies.push(...(await Promise.all(asked)));
      }
      await Promise.all(processes.map(({ saga }) => saga.idle()));

      const survivor = startProcess({ database, peers });
      await using _resumer = await takeOver(database, prefix, survivor);
      for (const key of new Set(rounds.flat().map((each) => each.key))) {
        const ofKey = replies.filter(({ request }) => request.key === key);
        const final = await settle(survivor, prefix, key, ofKey[0]?.request.body as Body);
        for (const { request, reply } of ofKey) expectReply(request, reply, final);
        expect(await ordersWith(database, prefix + key), "orders of a key").toHaveLength(1);
      }
      for (const captures of world.captures.values()) expect(captures).toBe(1);
    }),
    propertyOptions({ numRuns: 60 }),
  );
});

/** The body that got the key, and its answer for ever. */
interface Final {
  readonly body: Body;
  readonly answer: string;
}

function expectReply({ body }: Request, reply: Reply, final: Final): void {
  if ("answer" in reply) expect({ body, ...reply }).toEqual(final);
  else if (reply.refusal === "IDEMPOTENCY_KEY_REUSED") {
    expect(body).not.toBe(final.body);
    expect(reply.http).toBe(422);
  } else if (reply.refusal === "IDEMPOTENCY_KEY_IN_USE") {
    expect(body).toBe(final.body);
    expect(reply.http).toBe(409);
  } else expect(reply.refusal).toBe("INTERRUPTED");
}

/** Asks until the key has its answer; where another body got the key, for that one. */
async function settle(process: OrderProcess, prefix: string, key: string, first: Body) {
  const order = [first, ...(Object.keys(bodies) as Body[])];
  return waitFor(
    async (): Promise<Final | undefined> => {
      for (const body of order) {
        const reply = await ask(process, prefix, { key, body, process: 0 });
        if ("answer" in reply) return { body, answer: reply.answer };
        if (reply.refusal !== "IDEMPOTENCY_KEY_REUSED") return undefined;
      }
      throw new Error(`no body has the key ${key}`);
    },
    { intervalMs: 10, what: `the answer of key ${key}` },
  );
}

async function ask(process: OrderProcess, prefix: string, request: Request): Promise<Reply> {
  try {
    const key = prefix + request.key;
    const { order } = await process.place({ ...bodies[request.body], userId: key }, key);
    return { answer: Buffer.from(toBinary(OrderSchema, order)).toString("base64") };
  } catch (error) {
    if (error instanceof InterruptedError) return { refusal: "INTERRUPTED" };
    const { code, httpStatus } = error as { code?: string; httpStatus?: number };
    return { refusal: code ?? String(error), ...(httpStatus && { http: httpStatus }) };
  }
}

/** The leases of dead processes expire, and another one takes up their orders. */
async function takeOver(database: Database, prefix: string, survivor: OrderProcess) {
  await database.query({
    text: `update orders set lease_until = now() - interval '1 second' where starts_with(user_id, $1)`,
    values: [prefix],
  });
  return startResumer({ ...survivor, log: silentLogger, intervalMs: 10 });
}

/** The orders of the customer of a key, who has no other. */
async function ordersWith(database: Database, key: string): Promise<object[]> {
  const { rows } = await database.query({
    text: "select order_id from orders where user_id = $1",
    values: [key],
  });
  return rows;
}
