import { setImmediate } from "node:timers/promises";
import type { Channel, Connection } from "rabbitmq-client";
import { withTimeout } from "@smartcart/runtime";
import type { RawPublish } from "./frames.ts";
import { writeProperties } from "./properties.ts";
import { onReturn, publishRaw } from "./raw-connection.ts";

/** The broker's answer for one message. */
type Confirmation = "confirmed" | "unknown" | "returned";

/** Publishes with confirms on a channel of its own. */
export interface Publisher extends AsyncDisposable {
  /**
   * Sends all messages in order and waits for all answers together, at most `timeoutMs`; returns by
   * position. Never rejects. Message ids of events must differ within one call.
   */
  publish(
    messages: readonly RawPublish[],
    o: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<Confirmation[]>;
}

/**
 * A publisher on the connection; it opens its channel at the first message and anew after each
 * failure.
 */
export function createPublisher(connection: Connection): Publisher {
  let opening: Promise<Lane> | undefined;

  async function lane(): Promise<Lane> {
    opening ??= openLane(connection);
    try {
      const open = await opening;
      if (open.channel.active) return open;
    } catch (error) {
      opening = undefined;
      throw error;
    }
    opening = openLane(connection);
    return await opening;
  }

  return {
    async publish(messages, o) {
      const results: Confirmation[] = messages.map(() => "unknown");
      let isOver = o.signal?.aborted === true;
      const work = async () => {
        // On a connection that is down or blocked by an alarm, written messages would pile up in memory.
        if (!connection.ready) await connection.onConnect(o.timeoutMs, true);
        const open = await lane();
        if (!isOver) await open.send(messages, results);
      };
      const giveUp = () => {
        isOver = true;
        // Missing confirms would be awaited as long as the channel lives: replace it.
        if (opening !== undefined) void retire(opening);
        opening = undefined;
      };
      await withTimeout(
        work().catch(() => {}),
        o.timeoutMs,
        giveUp,
        o.signal,
      );
      return results;
    },
    async [Symbol.asyncDispose]() {
      if (opening !== undefined) await withTimeout(retire(opening), 1_000, () => {});
    },
  };
}

interface Lane {
  readonly channel: Channel;
  /** Fills in `results` as the answers come. */
  send(messages: readonly RawPublish[], results: Confirmation[]): Promise<void>;
}

async function openLane(connection: Connection): Promise<Lane> {
  const channel = await connection.acquire({ emitErrorsFromChannel: true });
  // The publishes under way fail with the same error.
  channel.on("error", () => {});
  await channel.confirmSelect();
  const returned = new Set<string>();
  onReturn(channel, ({ properties }) => void returned.add(nameOf(writeProperties(properties))));
  return {
    channel,
    async send(messages, results) {
      await publishRaw(channel, messages, (index) => {
        results[index] = "confirmed";
      });
      // The broker returns a message before it confirms it, but the client tells of the return one
      // turn later.
      await setImmediate();
      if (returned.size === 0) return;
      const names = messages.map(({ properties }) => nameOf(properties));
      for (const [index, name] of names.entries()) {
        if (returned.has(name)) results[index] = "returned";
      }
      for (const name of names) returned.delete(name);
    },
  };
}

/** The key of a message in this call: its properties, since a foreign message may have no id, or the id of another one. */
function nameOf(properties: Buffer): string {
  return properties.toString("latin1");
}

async function retire(opening: Promise<Lane>): Promise<void> {
  try {
    await (await opening).channel.close();
  } catch {
    // The channel never opened.
  }
}
