/*
 * What one client is sent of one order. The history comes from two sides, which know nothing of each other: live events, which
 * can be late, repeated or lost, and readings of what is stored. Whatever they bring in whatever order, the client gets each
 * entry once and without a gap, or is told that it cannot.
 */

/** An entry of an order's history. */
export interface Entry {
  /** Contiguous from 1. */
  readonly sequence: number;
}

/** How much of one order's history a client has, and what is missing. */
export interface Sequencer<E extends Entry> {
  /** The last sequence that was sent. */
  readonly last: number;
  /** Entries beyond a gap, ascending; never `last + 1`. */
  readonly ahead: readonly E[];
  /** Whether the history is being read, or about to be read again after a failure. */
  readonly reading: boolean;
  /** An event arrived that a read under way may not include: it is read again. */
  readonly stale: boolean;
  /** Readings in a row that did not help. */
  readonly failures: number;
  /** The client knows whether the order exists: it was sent an entry, or told that there is none yet. */
  readonly settled: boolean;
}

/** What is to be done after `send`. */
export type Action =
  /** Read the history after `last` now, and say what came of it: `read`, `unknownOrder` or `readFailed`. */
  | { readonly kind: "read" }
  /** The same after a pause. */
  | { readonly kind: "read-later"; readonly failures: number }
  /** Tell the client that it cannot be brought further than `last`. */
  | { readonly kind: "resync" }
  /** Tell the client that there is no such order yet. */
  | { readonly kind: "unknown-order" };

/** A change of state, what the client is to be sent, and what comes next. */
export interface Step<E extends Entry> {
  readonly state: Sequencer<E>;
  readonly send: readonly E[];
  readonly action?: Action;
}

/** Reads in a row that may fail before the client is sent an error. */
export const maxFailures = 5;
/** Entries that wait beyond a gap. More are dropped: the next reading brings them. */
const maxAhead = 32;

/** A client that has everything up to `after`. */
export function createSequencer<E extends Entry>(after: number): Sequencer<E> {
  return { last: after, ahead: [], reading: false, stale: false, failures: 0, settled: false };
}

/** Whether `createSequencer(state.last)` would go on in the same way. */
export function isResting<E extends Entry>(state: Sequencer<E>): boolean {
  const { last, ahead, reading, stale, failures } = state;
  // Before the first entry it matters whether the client was told that there is no order.
  return last > 0 && ahead.length === 0 && !reading && !stale && failures === 0;
}

/** Something may have been missed; or, with `after`, the client asks to begin anew from there. */
export function refill<E extends Entry>(state: Sequencer<E>, after?: number): Step<E> {
  // What waits is dropped rather than looked through: the reading brings it.
  const from = after === undefined ? state : { ...state, last: after, ahead: [], settled: false };
  if (state.reading) return { state: { ...from, stale: true }, send: [] };
  return { state: { ...from, reading: true }, send: [], action: { kind: "read" } };
}

/** A live event came. */
export function live<E extends Entry>(state: Sequencer<E>, entry: E): Step<E> {
  const { state: merged, send } = merge(state, [entry]);
  if (merged.ahead.length === 0 || merged.reading) return { state: merged, send };
  return { state: { ...merged, reading: true }, send, action: { kind: "read" } };
}

/** A reading brought these entries. */
export function read<E extends Entry>(state: Sequencer<E>, entries: readonly E[]): Step<E> {
  const { state: merged, send } = merge(state, entries);
  if (merged.stale) {
    return { state: { ...merged, stale: false }, send, action: { kind: "read" } };
  }
  // What is stored lags behind what was announced: a replica, or a history with a hole.
  if (merged.ahead.length > 0) return { ...giveUpOrRetry(merged), send };
  return { state: { ...merged, reading: false, failures: 0 }, send };
}

/** A reading failed. */
export function readFailed<E extends Entry>(state: Sequencer<E>): Step<E> {
  return giveUpOrRetry(state);
}

/** A reading found no such order. It may appear: the client keeps following. */
export function unknownOrder<E extends Entry>(state: Sequencer<E>): Step<E> {
  // Asked for again since the reading began: that one may be too old, and is no failure.
  if (state.stale) return { state: { ...state, stale: false }, send: [], action: { kind: "read" } };
  // An event of it came meanwhile: what is stored lags behind.
  if (state.ahead.length > 0) return giveUpOrRetry(state);
  const resting = { ...state, reading: false, failures: 0 };
  if (state.settled) return { state: resting, send: [] };
  return { state: { ...resting, settled: true }, send: [], action: { kind: "unknown-order" } };
}

function giveUpOrRetry<E extends Entry>(state: Sequencer<E>): Step<E> {
  const failures = state.failures + 1;
  if (failures < maxFailures) {
    // The next reading begins after this, so it will have seen everything.
    const waiting = { ...state, failures, stale: false };
    return { state: waiting, send: [], action: { kind: "read-later", failures } };
  }
  // The next live event starts over.
  const lost = { ...state, ahead: [], reading: false, stale: false, failures: 0 };
  return { state: lost, send: [], action: { kind: "resync" } };
}

/** Takes entries in and sends those that follow without a gap. */
function merge<E extends Entry>(state: Sequencer<E>, entries: readonly E[]): Step<E> {
  const [only] = entries;
  // The usual case by far: the next live event, and nothing waiting.
  if (entries.length === 1 && only && state.ahead.length === 0) {
    if (only.sequence <= state.last) return { state, send: [] };
    if (only.sequence === state.last + 1) {
      return { state: { ...state, last: only.sequence, settled: true }, send: entries };
    }
  }
  const waiting = new Map([...state.ahead, ...entries].map((entry) => [entry.sequence, entry]));
  const ahead = [...waiting.values()]
    .filter(({ sequence }) => sequence > state.last)
    .sort((a, b) => a.sequence - b.sequence);
  const gap = ahead.findIndex(({ sequence }, index) => sequence !== state.last + 1 + index);
  const send = gap === -1 ? ahead : ahead.slice(0, gap);
  const kept = gap === -1 ? [] : ahead.slice(gap, gap + maxAhead);
  // What is dropped here may have been stored after the reading under way began.
  const stale = state.stale || (state.reading && ahead.length > send.length + kept.length);
  const settled = state.settled || send.length > 0;
  return { state: { ...state, last: state.last + send.length, ahead: kept, stale, settled }, send };
}
