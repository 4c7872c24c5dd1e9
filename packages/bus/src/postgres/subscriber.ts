import { randomUUID } from "node:crypto";
import type { DescMessage } from "@bufbuild/protobuf";
import { eventTypeOf } from "@smartcart/contract";
import { createWakeSignal } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import type { FanOutEnd } from "../fan-out.ts";
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
  const subscriber = new Subscriber(desc, o, parts);
  await subscriber.attach();
  return subscriber;
}

class Subscriber<D extends DescMessage> implements RunningConsumer {
  readonly #o: SubscribeOptions<D>;
  readonly #parts: { readonly database: Database; readonly session: Session };
  readonly #self: { readonly id: string; readonly name: string; readonly type: string };
  readonly #end: FanOutEnd<D>;
  readonly #wake = createWakeSignal();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #healthy = true;
  #position = "0";
  /** When the server is to be told again that somebody listens. */
  #touchAtMs = 0;

  constructor(desc: D, o: SubscribeOptions<D>, parts: { database: Database; session: Session }) {
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
    const { database, session } = this.#parts;
    const removeHint = session.onHint(`fanout:${this.#self.type}`, (afterLoss) => {
      // A server that crashed has forgotten who listens.
      if (afterLoss) this.#touchAtMs = 0;
      this.#wake.notify();
    });
    while (!this.#stop.signal.aborted) await this.#round();
    removeHint();
    // A row that stays is forgotten after a minute.
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

  /** Hands over what is new; answers whether there may be more. */
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
