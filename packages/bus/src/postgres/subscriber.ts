import { randomUUID } from "node:crypto";
import type { DescMessage } from "@bufbuild/protobuf";
import { eventTypeOf } from "@smartcart/contract";
import { createWakeSignal } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createFanOutEnd } from "../fan-out.ts";
import type { RunningConsumer, SubscribeOptions } from "../types.ts";
import { addSubscriber, readFanout, removeSubscriber, touchSubscriber } from "./fan-out-store.ts";
import type { Session } from "./listen-connection.ts";

/** How often it says that it listens; after 45 s of silence it may have missed something. */
const touchEveryMs = 15_000;
const pauseAfterErrorMs = 500;

/** Hears every event of a type: hints say when to look, the position says from where. */
export async function startSubscriber<D extends DescMessage>(
  desc: D,
  o: SubscribeOptions<D>,
  parts: { database: Database; session: Session },
): Promise<RunningConsumer> {
  const wake = createWakeSignal();
  const stop = new AbortController();
  const reader = await openReader(desc, o, parts.database);
  let healthy = true;
  const removeHint = parts.session.onHint(`fanout:${reader.type}`, (afterLoss) => {
    if (afterLoss) reader.touchSoon();
    wake.notify();
  });

  const loop = async () => {
    while (!stop.signal.aborted) {
      try {
        await reader.touch();
        const more = await reader.read(stop.signal);
        healthy = true;
        if (!more) await wake.wait(stop.signal, reader.touchInMs());
      } catch (error) {
        healthy = false;
        o.log.warn("bus.subscribe_failed", { consumer: o.name, error });
        await wake.wait(stop.signal, pauseAfterErrorMs);
      }
    }
  };
  const looping = loop();

  return {
    ready: () => healthy && !stop.signal.aborted,
    async [Symbol.asyncDispose]() {
      if (stop.signal.aborted) return await looping;
      stop.abort();
      removeHint();
      await looping;
      await reader.leave();
    },
  };
}

/** The place of one subscriber in the stream of a type. */
interface Reader {
  /** The full name of the type. */
  readonly type: string;
  /** Hands over what is new; answers whether there may be more. */
  read(signal: AbortSignal): Promise<boolean>;
  /** Says that it listens, where that is due. A server that has forgotten it leaves a gap. */
  touch(): Promise<void>;
  /** In how many milliseconds that is due. */
  touchInMs(): number;
  /** Makes it due: a server that crashed has forgotten who listens. */
  touchSoon(): void;
  leave(): Promise<void>;
}

async function openReader<D extends DescMessage>(
  desc: D,
  o: SubscribeOptions<D>,
  database: Database,
): Promise<Reader> {
  const type = eventTypeOf(desc).desc.typeName;
  const self = { id: randomUUID(), name: o.name, type };
  const end = createFanOutEnd(desc, o);
  let position = await addSubscriber(database, self);
  let touchAtMs = performance.now() + touchEveryMs;
  return {
    type,
    async read(signal) {
      const rows = await readFanout(database, type, position);
      const last = rows.at(-1);
      if (last === undefined) return false;
      const events = rows.map((row) => end.read(row)).filter((event) => event !== undefined);
      if (!signal.aborted && events.length > 0) end.deliver(events);
      position = last.position;
      return true;
    },
    async touch() {
      if (performance.now() < touchAtMs) return;
      const known = await touchSubscriber(database, self.id, position);
      if (!known) position = await addSubscriber(database, self);
      touchAtMs = performance.now() + touchEveryMs;
      if (!known) o.onGap();
    },
    touchInMs: () => touchAtMs - performance.now(),
    touchSoon() {
      touchAtMs = 0;
    },
    async leave() {
      // A row that stays is forgotten after a minute.
      await removeSubscriber(database, self.id).catch(() => {});
    },
  };
}
