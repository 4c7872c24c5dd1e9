/** A step in an order's life, as the WebSocket and the history of the REST interface tell it. */
export interface TimelineEntry {
  /** Position in the history, contiguous from 1. */
  readonly sequence: number;
  /** The status as people read it: "Payment Confirmed". */
  readonly status: string;
  /** When it became true, RFC 3339. */
  readonly occurredAt: string;
  /** The service that made it true; may be empty. */
  readonly service: string;
  /** The trace it belongs to; may be empty. */
  readonly traceId: string;
}

/** What is known of an order's history: never with a hole, never an entry twice. */
export interface Timeline {
  /** Entries 1 to n. */
  readonly entries: readonly TimelineEntry[];
  /** Entries that came before one that is still missing, in order; kept until the hole is filled. */
  readonly ahead: readonly TimelineEntry[];
}

/** Resumes from the first entry. */
export const emptyTimeline: Timeline = { entries: [], ahead: [] };

/** Sequence of the newest entry that has no hole before it; 0 where there is none. This is where to resume. */
export function lastSequence(timeline: Timeline): number {
  return timeline.entries.length;
}

/** Whether an entry is missing between those that came. */
export function hasGap(timeline: Timeline): boolean {
  return timeline.ahead.length > 0;
}

/**
 * Adds entries in whatever order and however often they come. Known sequences are dropped; what lies beyond a hole
 * waits until the hole is filled. Answers the same object where nothing is new.
 */
export function addEntries(timeline: Timeline, incoming: readonly TimelineEntry[]): Timeline {
  const last = lastSequence(timeline);
  const waiting = new Map(timeline.ahead.map((entry) => [entry.sequence, entry]));
  const before = waiting.size;
  for (const entry of incoming) {
    if (entry.sequence > last && !waiting.has(entry.sequence)) waiting.set(entry.sequence, entry);
  }
  if (waiting.size === before) return timeline;
  const entries = [...timeline.entries];
  for (let next = waiting.get(last + 1); next; next = waiting.get(next.sequence + 1)) {
    entries.push(next);
    waiting.delete(next.sequence);
  }
  return { entries, ahead: [...waiting.values()].sort((a, b) => a.sequence - b.sequence) };
}
