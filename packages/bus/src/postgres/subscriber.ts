import { randomUUID } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { eventTypeOf } from "@smartcart/contract";
import type { Database } from "@smartcart/store";
import type { FanOutEnd } from "../fan-out.ts";
import { createFanOutEnd } from "../fan-out.ts";
import type { RunningConsumer, SubscribeOptions } from "../types.ts";
import { createDoorbell } from "./doorbell.ts";
import {
  addSubscriber,
  pruneFanout,
  readFanout,
  removeSubscriber,
  touchSubscriber,
} from "./queue-store.ts";
import type { Session } from "./session.ts";
import { messagesOf, toRaw } from "./stored-message.ts";

/** Without a hint the table is looked at this often. */
const pollMs = 500;
const touchEveryMs = 10_000;

/** Hears every event of a type: hints say when to look, the position says from where. */
export async function startSubscriber<D extends DescMessage>(
  desc: D,
  o: SubscribeOptions<D>,
  parts: { database: Database; session: Session },
): Promise<RunningConsumer> {
  const { database } = parts;
  const type = eventTypeOf(desc).desc.typeName;
  const self = { id: randomUUID(), name: o.name, type };
  const end = createFanOutEnd(desc, o);
  const bell = createDoorbell();
  const removeHint = parts.session.onHint(fanoutTopic(type), bell.ring);
  const stop = new AbortController();
  let position = await addSubscriber(database, self);
  let touchedAtMs = performance.now();
  let healthy = true;

  async function touch(): Promise<void> {
    if (performance.now() - touchedAtMs < touchEveryMs) return;
    const heard = await touchSubscriber(database, self.id);
    touchedAtMs = performance.now();
    await pruneFanout(database);
    if (heard) return;
    position = await addSubscriber(database, self);
    o.onGap();
  }

  async function read(): Promise<boolean> {
    const rows = await readFanout(database, type, position);
    const last = rows.at(-1);
    if (last === undefined) return false;
    const events = rows.flatMap((row) => decode(end, row.batch));
    if (!stop.signal.aborted && events.length > 0) end.deliver(events);
    position = last.position;
    return true;
  }

  const loop = async () => {
    while (!stop.signal.aborted) {
      try {
        await touch();
        const more = await read();
        healthy = true;
        if (more) continue;
      } catch (error) {
        healthy = false;
        o.log.warn("bus.subscribe_failed", { consumer: o.name, error });
      }
      await bell.wait(pollMs, stop.signal);
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
      // A row that stays is forgotten after a minute.
      await removeSubscriber(database, self.id).catch(() => {});
    },
  };
}

/** The topic of the hints for a fan-out. */
export function fanoutTopic(type: string): string {
  return `fanout:${type}`;
}

function decode<D extends DescMessage>(end: FanOutEnd<D>, batch: string): MessageShape<D>[] {
  return messagesOf(parse(batch))
    .map((stored) => end.read(toRaw(stored)))
    .filter((event) => event !== undefined);
}

/** What is no JSON is a message that cannot be decoded, as what is no message of ours. */
function parse(batch: string): unknown {
  try {
    return JSON.parse(batch);
  } catch {
    return batch;
  }
}
