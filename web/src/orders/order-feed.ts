/**
 * How the page follows one order: a pure state machine. `step` takes what happened and answers the next state with
 * what is to be done; `follow-order.ts` does it. Whatever is lost, doubled or reordered on the way, the timeline
 * stays contiguous, since every road leads through `addEntries` and resumes after the last contiguous sequence.
 */
import type { Frame } from "./frame.ts";
import { isComplete } from "./milestones.ts";
import type { Timeline, TimelineEntry } from "./timeline.ts";
import { addEntries, emptyTimeline, hasGap, lastSequence } from "./timeline.ts";

/** The state of the connection to the hub. */
export type Liveness =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Not live. The page is trying again by itself; `reason` is for people, "" where nothing more is known. */
  | { readonly kind: "interrupted"; readonly reason: string }
  /** The hub knows no such order. */
  | { readonly kind: "unknown-order" }
  /** Nothing will ever follow. */
  | { readonly kind: "complete" };

/** The state of one order's live updates. Pure: `step` answers the next state and the commands to carry out. */
export interface OrderFeed {
  readonly orderId: string;
  readonly timeline: Timeline;
  readonly liveness: Liveness;
  /** Attempts that failed in a row; decides the next pause. */
  readonly failures: number;
  /** A subscription is to be sent when the history that was asked for is here. */
  readonly resubscribe: boolean;
}

/** What happened. */
export type FeedEvent =
  | { readonly kind: "opened" }
  | { readonly kind: "closed" }
  | { readonly kind: "frame"; readonly frame: Frame }
  /** The history that was asked for; undefined where it could not be had. */
  | { readonly kind: "history"; readonly entries: readonly TimelineEntry[] | undefined }
  /** The pause before another subscription on the same connection is over. */
  | { readonly kind: "resubscribe" }
  /** The connection has held for a while. */
  | { readonly kind: "steady" }
  /** Entries that a look at the history found although the connection had not brought them. */
  | { readonly kind: "missed"; readonly entries: readonly TimelineEntry[] };

/** What is to be done. */
export type FeedCommand =
  | { readonly kind: "subscribe"; readonly afterSequence: number }
  | { readonly kind: "read-history"; readonly afterSequence: number }
  /** Open a new connection after a pause that grows with `failures`. */
  | { readonly kind: "reconnect"; readonly failures: number }
  /** Send `resubscribe` back after such a pause. */
  | { readonly kind: "resubscribe-later"; readonly failures: number }
  /** Close the connection and begin no other. */
  | { readonly kind: "stop" };

interface FeedStep {
  readonly feed: OrderFeed;
  readonly commands: readonly FeedCommand[];
}

/** The state before the first connection. */
export function createOrderFeed(orderId: string): OrderFeed {
  const liveness: Liveness = { kind: "connecting" };
  return { orderId, timeline: emptyTimeline, liveness, failures: 0, resubscribe: false };
}

/** The next state and what is to be done. Pure. */
export function step(feed: OrderFeed, event: FeedEvent): FeedStep {
  if (feed.liveness.kind === "complete") return { feed, commands: [] };
  switch (event.kind) {
    case "opened":
    case "resubscribe":
      return subscribe(feed);
    case "closed":
      return closed(feed);
    case "frame":
      return received(feed, event.frame);
    case "history":
      return historyRead(feed, event.entries);
    case "steady":
      return { feed: { ...feed, failures: 0 }, commands: [] };
    case "missed":
      // The socket looks open and brings nothing: the path behind it is dead.
      return add(interrupted(feed, "", false), event.entries, [{ kind: "reconnect", failures: 0 }]);
  }
}

function subscribe(feed: OrderFeed): FeedStep {
  return {
    feed: { ...feed, liveness: { kind: "live" }, resubscribe: false },
    commands: [{ kind: "subscribe", afterSequence: lastSequence(feed.timeline) }],
  };
}

function closed(feed: OrderFeed): FeedStep {
  if (feed.liveness.kind === "unknown-order") return { feed, commands: [] };
  return {
    feed: {
      ...feed,
      liveness: { kind: "interrupted", reason: "" },
      failures: feed.failures + 1,
      resubscribe: false,
    },
    commands: [
      { kind: "reconnect", failures: feed.failures },
      // The order may move on while the hub is away: the page then learns of it by each attempt.
      { kind: "read-history", afterSequence: lastSequence(feed.timeline) },
    ],
  };
}

function received(feed: OrderFeed, frame: Frame): FeedStep {
  switch (frame.kind) {
    case "status":
      return frame.orderId === feed.orderId ? add(feed, [frame.entry]) : { feed, commands: [] };
    case "resync":
      if (frame.orderId !== "" && frame.orderId !== feed.orderId) return { feed, commands: [] };
      return {
        feed: interrupted(feed, frame.reason, true),
        commands: [{ kind: "read-history", afterSequence: lastSequence(feed.timeline) }],
      };
    case "error":
      if (frame.code === "UNKNOWN_ORDER" && feed.timeline.entries.length === 0) {
        return {
          feed: { ...feed, liveness: { kind: "unknown-order" } },
          commands: [{ kind: "stop" }],
        };
      }
      return resubscribeLater(feed, frame.message);
    case "other":
      return { feed, commands: [] };
  }
}

function historyRead(feed: OrderFeed, entries: readonly TimelineEntry[] | undefined): FeedStep {
  const after = add(feed, entries ?? []);
  if (!feed.resubscribe || after.feed.liveness.kind === "complete") return after;
  if (entries === undefined) return resubscribeLater(after.feed, reasonOf(feed));
  return subscribe(after.feed);
}

/** Takes entries in; asks for what is missing before them, and ends where the order does. */
function add(
  feed: OrderFeed,
  entries: readonly TimelineEntry[],
  further: readonly FeedCommand[] = [],
): FeedStep {
  const timeline = addEntries(feed.timeline, entries);
  if (timeline === feed.timeline) return { feed, commands: [] };
  if (isComplete(timeline)) {
    return {
      feed: { ...feed, timeline, liveness: { kind: "complete" } },
      commands: [{ kind: "stop" }],
    };
  }
  const missing: FeedCommand = { kind: "read-history", afterSequence: lastSequence(timeline) };
  const commands = hasGap(timeline) ? [missing, ...further] : further;
  return { feed: { ...feed, timeline }, commands };
}

function resubscribeLater(feed: OrderFeed, reason: string): FeedStep {
  return {
    feed: { ...interrupted(feed, reason, false), failures: feed.failures + 1 },
    commands: [{ kind: "resubscribe-later", failures: feed.failures }],
  };
}

function interrupted(feed: OrderFeed, reason: string, resubscribe: boolean): OrderFeed {
  return { ...feed, liveness: { kind: "interrupted", reason }, resubscribe };
}

function reasonOf(feed: OrderFeed): string {
  return feed.liveness.kind === "interrupted" ? feed.liveness.reason : "";
}
