import { setImmediate } from "node:timers/promises";
import type { Channel } from "rabbitmq-client";
import type { QueueType } from "@smartcart/contract";
import { handleBatch } from "../message-processor.ts";
import type { ConsumeOptions, RunningConsumer } from "../types.ts";
import { failedDeliveries, toRaw } from "./amqp-message.ts";
import { attach } from "./channel-supervisor.ts";
import { ensureTopology } from "./declare-topology.ts";
import type { Publisher } from "./publisher.ts";
import type { RawConnection, ReceivedMessage } from "./raw-connection.ts";
import { onMessage } from "./raw-connection.ts";
import { settle } from "./settle-batch.ts";

/** What a consumer works with. */
interface ConsumerParts {
  readonly connection: RawConnection;
  readonly publisher: Publisher;
}

/** Joins the consumers of a queue; see `EventBus.consume`. */
export async function startConsumer(
  queue: QueueType,
  o: ConsumeOptions,
  parts: ConsumerParts,
): Promise<RunningConsumer> {
  let stopping = false;
  let session: ConsumerSession | undefined;
  return await attach({
    connection: parts.connection,
    name: o.name,
    log: o.log,
    async setUp(channel) {
      // The channel was lost with its connection, or the queue was deleted: declare it again.
      if (session !== undefined) await ensureTopology(parts.connection);
      // An older session may still wait for its handler; the broker has given its messages back
      // already.
      session = new ConsumerSession({
        channel,
        queue,
        consume: o,
        parts,
        isStopping: () => stopping,
      });
      await session.begin();
    },
    async windDown(channel) {
      stopping = true;
      if (channel !== undefined) await session?.cancel();
      await session?.idle();
    },
  });
}

/** Consumes on one channel: delivery tags are valid on their channel only. */
class ConsumerSession {
  readonly #o: SessionOptions;
  readonly #waiting: ReceivedMessage[] = [];
  #consumerTag = "";
  #working: Promise<void> | undefined;
  // When a consumer dies, the delivery count of every message it holds goes up. A message that was delivered before is therefore taken
  // alone, and so is the first one of each session: otherwise a poison message would take others with it to the dead letters.
  #careful = true;

  constructor(o: SessionOptions) {
    this.#o = o;
  }

  async begin(prefetchCount = 1): Promise<void> {
    const { channel, queue } = this.#o;
    await channel.basicQos({ prefetchCount });
    const receive = onMessage((message) => {
      this.#waiting.push(message);
      this.#working ??= this.#work()
        .catch((error: unknown) => this.#giveUp(error))
        .finally(() => {
          this.#working = undefined;
        });
    });
    const { consumerTag } = await channel.basicConsume({ queue: queue.name }, receive);
    this.#consumerTag = consumerTag;
  }

  /** Takes no more messages. */
  async cancel(): Promise<void> {
    await this.#o.channel.basicCancel({ consumerTag: this.#consumerTag }).catch(() => {});
  }

  /** Resolves when the batch under way is answered. */
  async idle(): Promise<void> {
    await this.#working;
  }

  /** Closes a channel that has failed; on a new one the broker delivers unanswered messages again. */
  #giveUp(error: unknown): void {
    const { channel, queue, consume } = this.#o;
    consume.log.warn("bus.consume_failed", { consumer: consume.name, queue: queue.name, error });
    void channel.close();
  }

  async #work(): Promise<void> {
    const { channel, queue, consume, parts, isStopping } = this.#o;
    // Waits for all messages of the same read of the socket, so that they form one batch.
    await setImmediate();
    while (this.#waiting.length > 0 && !isStopping() && channel.active) {
      const batch = this.#waiting.splice(0, consume.maxBatch ?? 1);
      const steps = await handleBatch(queue, batch.map(toRaw), consume, isStopping);
      await settle({ channel, queue, batch, steps, ...parts });
      const isSafe = batch.every((message) => failedDeliveries(message) < 2);
      if (this.#careful && isSafe) await this.#speedUp();
    }
  }

  async #speedUp(): Promise<void> {
    const { channel, consume, isStopping } = this.#o;
    if (!channel.active || isStopping()) return;
    this.#careful = false;
    await channel.basicCancel({ consumerTag: this.#consumerTag });
    await this.begin(Math.max(10, (consume.maxBatch ?? 1) * 3));
  }
}

interface SessionOptions {
  readonly channel: Channel;
  readonly queue: QueueType;
  readonly consume: ConsumeOptions;
  readonly parts: ConsumerParts;
  readonly isStopping: () => boolean;
}
