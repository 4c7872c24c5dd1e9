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
  { database, session }: { database: Database; session: Session },
): Promise<RunningConsumer> {
  const type = eventTypeOf(desc).desc.typeName;
  const self = { id: randomUUID(), name: o.name, type };
  const end = createFanOutEnd(desc, o);
  const wake = createWakeSignal();
  const stop = new AbortController();
  let healthy = true;
  let position = await addSubscriber(database, self);
  /** When the server is to be told again that somebody listens. */
  let touchAtMs = performance.now() + touchEveryMs;

  /** Hands over what is new; answers whether there may be more. */
  async function read(): Promise<boolean> {
    const rows = await readFanout(database, type, position);
    const last = rows.at(-1);
    if (last === undefined) return false;
    const events = rows.map((row) => end.read(row)).filter((event) => event !== undefined);
    if (!stop.signal.aborted && events.length > 0) end.deliver(events);
    position = last.position;
    return true;
  }

  /** A server that has forgotten the subscriber leaves a gap. */
  async function touch(): Promise<void> {
    const known = await touchSubscriber(database, self.id, position);
    if (!known) position = await addSubscriber(database, self);
    touchAtMs = performance.now() + touchEveryMs;
    if (!known) o.onGap();
  }

  async function round(): Promise<void> {
    try {
      if (performance.now() >= touchAtMs) await touch();
      const more = await read();
      healthy = true;
      if (!more) await wake.wait(stop.signal, touchAtMs - performance.now());
    } catch (error) {
      healthy = false;
      o.log.warn("bus.subscribe_failed", { consumer: o.name, error });
      await wake.wait(stop.signal, pauseAfterErrorMs);
    }
  }

  const removeHint = session.onHint(`fanout:${type}`, (afterLoss) => {
    // A server that crashed has forgotten who listens.
    if (afterLoss) touchAtMs = 0;
    wake.notify();
  });
  const loop = async () => {
    while (!stop.signal.aborted) await round();
  };
  const looping = loop();

  return {
    ready: () => healthy && !stop.signal.aborted,
    async [Symbol.asyncDispose]() {
      if (stop.signal.aborted) return await looping;
      stop.abort();
      removeHint();
      await looping;
      // A row that stays is forgotten after a minute.
      await removeSubscriber(database, self.id).catch(() => {});
    },
  };
}
