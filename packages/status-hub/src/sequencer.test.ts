import fc from "fast-check";
import { expect, test } from "vitest";
import { propertyOptions } from "@smartcart/testkit";
import type { Entry, Sequencer, Step } from "./sequencer.ts";
import {
  createSequencer,
  live,
  maxFailures,
  read,
  readFailed,
  refill,
  unknownOrder,
} from "./sequencer.ts";

const entries = (from: number, to: number): Entry[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => ({ sequence: from + index }));

/** A sequencer with its surroundings: what is stored, what was announced, and a reading that is under way. */
function createWorld(after: number) {
  const sent: number[] = [];
  const actions: string[] = [];
  let state: Sequencer<Entry> = createSequencer(after);
  let stored = 0;
  let snapshot: number | undefined;
  // The highest sequence that was delivered, or read, since the client was last told that it is lost.
  let promised = after;

  function take(step: Step<Entry>): void {
    state = step.state;
    for (const { sequence } of step.send) sent.push(sequence);
    if (step.action) actions.push(step.action.kind);
    if (step.action?.kind === "read" || step.action?.kind === "read-later") snapshot = stored;
    else if (!state.reading) snapshot = undefined;
    if (step.action?.kind === "resync") promised = state.last;
  }

  return {
    sent,
    actions,
    get state() {
      return state;
    },
    commit: () => void stored++,
    deliver(sequence: number) {
      if (sequence < 1 || sequence > stored) return;
      promised = Math.max(promised, sequence);
      take(live(state, { sequence }));
    },
    subscribe: (from: number) => {
      promised = from;
      take(refill(state, from));
    },
    suspect: () => take(refill(state)),
    finishRead(ok: boolean) {
      if (!state.reading || snapshot === undefined) return;
      if (!ok) return take(readFailed(state));
      if (snapshot === 0) return take(unknownOrder(state));
      take(read(state, entries(state.last + 1, snapshot)));
    },
    check() {
      expect(sent).toEqual(entries(after + 1, after + sent.length).map(({ sequence }) => sequence));
      // At rest, a client that was told of an entry has it, or knows that it is missing.
      if (!state.reading) expect(state.last).toBeGreaterThanOrEqual(promised);
    },
    /** All readings succeed from here on. */
    settle() {
      for (let round = 0; state.reading && round < 10; round++) this.finishRead(true);
      return stored;
    },
  };
}

type World = ReturnType<typeof createWorld>;

const operation: fc.Arbitrary<(world: World) => void> = fc.oneof(
  fc.constant((world: World) => world.commit()),
  fc.integer({ min: 1, max: 12 }).map((sequence) => (world: World) => world.deliver(sequence)),
  fc.boolean().map((ok) => (world: World) => world.finishRead(ok)),
  fc.constant((world: World) => world.suspect()),
);

test("any interleaving of live events, readings, losses and failures is contiguous and never silent", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4 }),
      fc.array(operation, { maxLength: 80 }),
      (after, operations) => {
        const world = createWorld(after);
        world.subscribe(after);
        for (const operate of operations) {
          operate(world);
          world.check();
        }
        // Events may have been lost: the hub reads again when the queue is back.
        world.suspect();
        const stored = world.settle();
        expect(world.state.reading).toBe(false);
        expect(world.state.last).toBe(Math.max(stored, after));
        world.check();
      },
    ),
    propertyOptions({ numRuns: 2000 }),
  );
});

test("a late client gets the stored history, then live events", () => {
  const world = createWorld(0);
  for (let i = 0; i < 4; i++) world.commit();
  world.subscribe(0);
  world.finishRead(true);
  world.commit();
  world.deliver(5);
  expect(world.sent).toEqual([1, 2, 3, 4, 5]);
});

test("an early client is told that the order is unknown, once, and follows it from its first entry", () => {
  const world = createWorld(0);
  world.subscribe(0);
  world.finishRead(true);
  world.suspect();
  world.finishRead(true);
  expect(world.actions).toEqual(["read", "unknown-order", "read"]);
  world.commit();
  world.deliver(1);
  expect(world.sent).toEqual([1]);
});

test("a client that subscribes anew to an unknown order is told again", () => {
  const world = createWorld(0);
  world.subscribe(0);
  world.finishRead(true);
  world.subscribe(0);
  world.finishRead(true);
  expect(world.actions).toEqual(["read", "unknown-order", "read", "unknown-order"]);
});

test("an entry that comes live while the history is read goes out at once when it is the next one", () => {
  const world = createWorld(0);
  world.subscribe(0);
  world.commit();
  world.deliver(1);
  expect(world.sent).toEqual([1]);
  world.finishRead(true);
  expect(world.actions).not.toContain("unknown-order");
  expect(world.sent).toEqual([1]);
});

test("a gap is closed by a reading, and what came beyond it goes out after it", () => {
  const world = createWorld(0);
  for (let i = 0; i < 3; i++) world.commit();
  world.deliver(3);
  expect(world.sent).toEqual([]);
  world.finishRead(true);
  expect(world.sent).toEqual([1, 2, 3]);
});

test("a gap that cannot be closed ends in a resync, and the next event tries again", () => {
  const world = createWorld(0);
  world.commit();
  world.commit();
  world.deliver(2);
  for (let i = 0; i < maxFailures; i++) world.finishRead(false);
  expect(world.actions.at(-1)).toBe("resync");
  expect(world.state).toMatchObject({ last: 0, reading: false });
  world.commit();
  world.deliver(3);
  world.finishRead(true);
  expect(world.sent).toEqual([1, 2, 3]);
});

test("a reading that is too old to know the order is repeated, however many have failed before it", () => {
  const world = createWorld(0);
  world.subscribe(0);
  for (let i = 1; i < maxFailures; i++) world.finishRead(false);
  world.commit();
  world.suspect();
  world.settle();
  expect(world.sent).toEqual([1]);
  expect(world.actions).not.toContain("resync");
});

test("a stored history with a hole ends in a resync, not in a jump", () => {
  let state: Sequencer<Entry> = createSequencer(0);
  ({ state } = refill(state));
  const kinds: (string | undefined)[] = [];
  for (let i = 0; i < maxFailures; i++) {
    const step = read(state, [{ sequence: 1 }, { sequence: 3 }]);
    kinds.push(step.action?.kind);
    state = step.state;
  }
  expect(state.last).toBe(1);
  expect(kinds).toEqual([...Array<string>(maxFailures - 1).fill("read-later"), "resync"]);
});

test("of a burst beyond a gap only a bounded part is kept, and a reading that may be too old is repeated", () => {
  let state: Sequencer<Entry> = createSequencer(0);
  ({ state } = refill(state));
  for (let sequence = 2; sequence <= 100; sequence++) ({ state } = live(state, { sequence }));
  expect(state.ahead.length).toBeLessThan(50);
  const old = read(state, entries(1, 40));
  expect(old.action).toEqual({ kind: "read" });
  const whole = read(old.state, entries(old.state.last + 1, 100));
  expect(whole.state).toMatchObject({ last: 100, reading: false });
});
