/** A subscription between live events and a history: both may be late, repeated, incomplete or failing, in any order. */
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { propertyOptions } from "@smartcart/testkit";
import type { OrderHistory } from "./order-history.ts";
import { createOrderSubscription } from "./order-subscription.ts";
import type { StatusFrame } from "./server-frames.ts";

const orderId = "ORD-1";

// The pauses between readings pass when the scheduler says so.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** What happens from outside, in this order; what follows from it comes in any. */
const happening = fc.oneof(
  // An entry is stored, and announced so many times: never where the announcement is lost.
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("store"), announced: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("suspect"), inTurn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("subscribe"), after: fc.nat(6) }) },
  // A pause between two readings ends.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass") }) },
);
type Happening = {
  kind: string;
  announced?: number;
  inTurn?: boolean;
  after?: number;
};

const plan = fc.record({
  after: fc.nat(3),
  happenings: fc.array(happening, { maxLength: 25 }),
  /** Which readings fail; those beyond the list succeed. */
  failing: fc.array(fc.boolean(), { maxLength: 20 }),
});

test("whatever comes late, twice, out of order or never, the client gets each entry once and in order, or is told", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plan, async (scheduler, { after, happenings, failing }) => {
      const world = createWorld(scheduler, after, failing);
      world.subscribe(after);
      const { task } = scheduler.scheduleSequence(
        happenings.map((each) => ({
          builder: async () => world.happen(each),
          label: JSON.stringify(each),
        })),
      );
      await rest(scheduler);
      expect((await task).faulty).toBe(false);
      // A client that was told of an entry has it, or knows that it is missing.
      expect(world.last).toBeGreaterThanOrEqual(world.promised);
      // The queue is back and the history answers: nothing is missing.
      world.recover();
      await rest(scheduler);
      expect(world.last).toBe(Math.max(world.stored, world.base));
    }),
    propertyOptions({ numRuns: 4000 }),
  );
});

test("once stopped, it sends nothing any more, whatever is still under way", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plan, async (scheduler, { after, happenings, failing }) => {
      const world = createWorld(scheduler, after, failing);
      world.subscribe(after);
      const stop = scheduler.schedule(Promise.resolve(), "stop").then(() => world.stop());
      scheduler.scheduleSequence(happenings.map((each) => async () => world.happen(each)));
      await rest(scheduler);
      await stop;
      expect(world.sentAfterStop).toEqual([]);
    }),
    propertyOptions({ numRuns: 1000 }),
  );
});

/** Runs all that is scheduled and lets all pauses pass, until nothing is left to do. */
async function rest(scheduler: fc.Scheduler): Promise<void> {
  do {
    await scheduler.waitIdle();
    await vi.runOnlyPendingTimersAsync();
  } while (scheduler.count() > 0 || vi.getTimerCount() > 0);
}

/** A client with its subscription, and what is stored. Everything that the client is sent is checked at once. */
function createWorld(scheduler: fc.Scheduler, after: number, failing: readonly boolean[]) {
  let stored = 0;
  let readings = 0;
  let base = after;
  let last = after;
  /** The highest sequence that was announced, since the client was last told that it is lost. */
  let promised = 0;
  let stopped = false;
  let faultless = false;
  const sentAfterStop: string[] = [];

  const history: OrderHistory = {
    newestOrders: async () => [],
    async list(_orderId, afterSequence) {
      const fails = failing[readings++] && !faultless;
      // The reading takes place some time after it was asked for, and its answer some time after that.
      await scheduler.schedule(Promise.resolve(), "read");
      const until = stored;
      await scheduler.schedule(Promise.resolve(), "answer");
      if (fails) throw new ConnectError("cannot be read", Code.Unavailable);
      if (until === 0) throw new ConnectError("none", Code.NotFound);
      return frames(afterSequence + 1, until);
    },
  };
  const subscription = createOrderSubscription(after, {
    ...{ orderId, history, log: silentLogger, retryPauseMs: 10 },
    send: (data) => receive(data.toString("utf8", data.indexOf("{"))),
    onResync: () => {},
  });

  function receive(text: string): void {
    if (stopped) sentAfterStop.push(text);
    const frame = JSON.parse(text);
    if (frame.resync) {
      expect(frame.resync, text).toMatchObject(
        last > 0 ? { orderId, lastSequence: last } : { orderId },
      );
      promised = last;
    } else if (frame.error) {
      expect(frame.error.code).toBe("UNKNOWN_ORDER");
      expect(last, "nothing was sent of an unknown order").toBe(base);
    } else {
      expect(frame.sequence, `after ${last}`).toBe(last + 1);
      last = frame.sequence;
    }
  }

  function subscribe(from: number): void {
    base = from;
    last = from;
    void subscription.refill({ after: from });
  }

  return {
    happen({ kind, announced = 0, inTurn = false, after: from = 0 }: Happening): void {
      if (kind === "pass") vi.advanceTimersToNextTimer();
      if (kind === "subscribe") subscribe(from);
      if (kind === "suspect") {
        const turn = inTurn ? { turn: scheduler.schedule(Promise.resolve(), "turn") } : {};
        void subscription.refill(turn);
      }
      if (kind !== "store") return;
      const [frame] = frames(++stored, stored) as [StatusFrame];
      for (let copy = 0; copy < announced; copy++) {
        void scheduler.schedule(Promise.resolve(), `live ${frame.sequence}`).then(() => {
          promised = Math.max(promised, frame.sequence);
          subscription.live(frame);
        });
      }
    },
    subscribe,
    recover() {
      faultless = true;
      void subscription.refill();
    },
    stop() {
      subscription.stop();
      stopped = true;
    },
    sentAfterStop,
    get stored() {
      return stored;
    },
    get promised() {
      return promised;
    },
    get base() {
      return base;
    },
    get last() {
      return last;
    },
  };
}

function frames(from: number, to: number): StatusFrame[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => {
    const sequence = from + index;
    return { sequence, data: Buffer.from(JSON.stringify({ orderId, sequence })) };
  });
}
