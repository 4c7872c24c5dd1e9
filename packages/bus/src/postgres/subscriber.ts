import { randomUUID } from "node:crypto";
import type { DescMessage } from "@bufbuild/protobuf";
import { eventTypeOf } from "@smartcart/contract";
import { createWakeSignal } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import type { FanOutEnd } from "../fan-out.ts";
import { createFanOutEnd } from "../fan-out.ts";
import type { RunningConsumer, SubscribeOptions } from "../types.ts";
import { addSubscriber, readFanout, removeSubscriber, touchSubscriber } from "./fan-out-store.ts";
import type { ListenConnection } from "./listen-connection.ts";

/** How often it refreshes its row; after 45 s without a refresh it may have missed events. */
const touchEveryMs = 15_000;
const pauseAfterErrorMs = 500;

/** Delivers every event of a type: a notification triggers a read, and the position is where it starts. */
export async function startSubscriber<D extends DescMessage>(
  desc: D,
  o: SubscribeOptions<D>,
  parts: { database: Database; listenConnection: ListenConnection },
): Promise<RunningConsumer> {
  const subscriber = new Subscriber(desc, o, parts);
  await subscriber.attach();
  return subscriber;
}

class Subscriber<D extends DescMessage> implements RunningConsumer {
  readonly #o: SubscribeOptions<D>;
  readonly #parts: { readonly database: Database; readonly listenConnection: ListenConnection };
  readonly #self: { readonly id: string; readonly name: string; readonly type: string };
  readonly #end: FanOutEnd<D>;
  readonly #wake = createWakeSignal();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #healthy = true;
  #position = "0";
  /** When to refresh the row of this subscriber. */
  #touchAtMs = 0;

  constructor(
    desc: D,
    o: SubscribeOptions<D>,
    parts: { database: Database; listenConnection: ListenConnection },
  ) {
    this.#o = o;
    this.#parts = parts;
    this.#self = { id: randomUUID(), name: o.name, type: eventTypeOf(desc).desc.typeName };
    this.#end = createFanOutEnd(desc, o);
  }

  /** Begins to listen, and to hand over. */
  async attach(): Promise<void> {
    await this.#add();
    this.#running = this.#run();
  }

  ready(): boolean {
    return this.#healthy && !this.#stop.signal.aborted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { database, listenConnection } = this.#parts;
    const removeListener = listenConnection.onNotify(`fanout:${this.#self.type}`, (afterLoss) => {
      // The table of subscribers is empty after a crash of the server.
      if (afterLoss) this.#touchAtMs = 0;
      this.#wake.notify();
    });
    while (!this.#stop.signal.aborted) await this.#round();
    removeListener();
    // If this fails, the row is deleted after a minute.
    await removeSubscriber(database, this.#self.id).catch(() => {});
  }

  async #round(): Promise<void> {
    const { signal } = this.#stop;
    try {
      if (performance.now() >= this.#touchAtMs) await this.#touch();
      const more = await this.#read();
      this.#healthy = true;
      if (!more) await this.#wake.wait(signal, this.#touchAtMs - performance.now());
    } catch (error) {
      this.#healthy = false;
      this.#o.log.warn("bus.subscribe_failed", { consumer: this.#o.name, error });
      await this.#wake.wait(signal, pauseAfterErrorMs);
    }
  }

  /** Passes new events to the subscriber; returns whether there may be more. */
  async #read(): Promise<boolean> {
    const rows = await readFanout(this.#parts.database, this.#self.type, this.#position);
    const last = rows.at(-1);
    if (last === undefined) return false;
    const events = rows.map((row) => this.#end.read(row)).filter((event) => event !== undefined);
    if (!this.#stop.signal.aborted && events.length > 0) this.#end.deliver(events);
    this.#position = last.position;
    return true;
  }

  /** Says that it listens. A server that has forgotten it leaves a gap. */
  async #touch(): Promise<void> {
    const known = await touchSubscriber(this.#parts.database, this.#self.id, this.#position);
    if (known) this.#touchAtMs = performance.now() + touchEveryMs;
    else {
      await this.#add();
      this.#o.onGap();
    }
  }

  async #add(): Promise<void> {
    this.#position = await addSubscriber(this.#parts.database, this.#self);
    this.#touchAtMs = performance.now() + touchEveryMs;
  }
}
