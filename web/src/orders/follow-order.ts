import { listOrderEvents } from "../api/orders.ts";
import { backoffMs, pause } from "../backoff.ts";
import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";
import type { TokenSource } from "../session/session.ts";
import { subscribeFrame, toEntry } from "./frame.ts";
import type { FeedCommand, FeedEvent, OrderFeed } from "./order-feed.ts";
import { createOrderFeed, step } from "./order-feed.ts";
import { openSocket } from "./order-socket.ts";
import type { TimelineEntry } from "./timeline.ts";
import { lastSequence } from "./timeline.ts";

/** Time after which a connection counts as stable, which resets the backoff, in milliseconds. */
const steadyMs = 5_000;

/** Interval between comparisons of an open connection with the history, in milliseconds. */
const probeMs = 20_000;

/**
 * Follows an order over the WebSocket at /ws of the page's origin until nothing can follow or `signal` is aborted: carries
 * out what the state machine of order-feed.ts asks for.
 */
export function followOrder(
  session: TokenSource,
  orderId: string,
  signal: AbortSignal,
): Pick<Observable<OrderFeed>, "get" | "subscribe"> {
  const feed = createObservable(createOrderFeed(orderId));
  let connection = new AbortController();
  const read: ReadHistory = (afterSequence, ended) =>
    readHistory(session, orderId, afterSequence, ended);

  const happened = (event: FeedEvent): void => {
    if (signal.aborted) return;
    const next = step(feed.get(), event);
    feed.set(next.feed);
    for (const command of next.commands) carryOut(command);
  };

  let send: (text: string) => void = () => {};
  const connect = (): void => {
    connection.abort();
    connection = new AbortController();
    const ended = AbortSignal.any([signal, connection.signal]);
    send = openSocket({ session, ended, happened });
    quietly(probe(read, { feed, ended, happened }));
  };

  const later = (failures: number, ended: AbortSignal, work: () => void): void =>
    quietly(pause(backoffMs(failures, Math.random()), ended).then(work));

  const carryOut = (command: FeedCommand): void => {
    switch (command.kind) {
      case "subscribe":
        send(subscribeFrame(orderId, command.afterSequence));
        break;
      case "read-history":
        quietly(
          read(command.afterSequence, signal).then((entries) =>
            happened({ kind: "history", entries }),
          ),
        );
        break;
      case "reconnect":
        connection.abort();
        later(command.failures, signal, connect);
        break;
      case "resubscribe-later": {
        const sameConnection = AbortSignal.any([signal, connection.signal]);
        later(command.failures, sameConnection, () => happened({ kind: "resubscribe" }));
        break;
      }
      case "stop":
        connection.abort();
        break;
    }
  };

  connect();
  return feed;
}

type ReadHistory = (
  afterSequence: number,
  signal: AbortSignal,
) => Promise<TimelineEntry[] | undefined>;

interface Probe {
  readonly feed: Pick<Observable<OrderFeed>, "get">;
  readonly ended: AbortSignal;
  readonly happened: (event: FeedEvent) => void;
}

/**
 * Compares an open connection with the history every 20 s. A connection whose network path fails silently (a laptop that was
 * asleep) stays open without delivering anything. Rejects when `ended`.
 */
async function probe(read: ReadHistory, { feed, ended, happened }: Probe): Promise<void> {
  await pause(steadyMs, ended);
  if (feed.get().liveness.kind === "live") happened({ kind: "steady" });
  while (!ended.aborted) {
    await pause(probeMs, ended);
    const entries = await read(lastSequence(feed.get().timeline), ended);
    const known = lastSequence(feed.get().timeline);
    const missed = entries?.filter((entry) => entry.sequence > known) ?? [];
    if (missed.length > 0 && !ended.aborted) happened({ kind: "missed", entries: missed });
  }
}

async function readHistory(
  session: TokenSource,
  orderId: string,
  afterSequence: number,
  signal: AbortSignal,
): Promise<TimelineEntry[] | undefined> {
  const events = await listOrderEvents(session, orderId, afterSequence, signal);
  return events?.flatMap((event) => toEntry(event) ?? []);
}

// The work rejects only when it is aborted.
function quietly(work: Promise<unknown>): void {
  work.catch(() => {});
}
