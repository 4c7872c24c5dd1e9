import type { Channel, Connection } from "rabbitmq-client";
import type { Logger } from "@smartcart/runtime";
import { delay, withTimeout } from "@smartcart/runtime";

/** Keeps something set up on a channel, and sets it up again on a new one when the channel is lost. */
interface ChannelSupervisor extends AsyncDisposable {
  /** Whether it is set up on a live channel right now. */
  ready(): boolean;
}

/** What is attached. */
interface AttachOptions {
  readonly connection: Connection;
  readonly name: string;
  readonly log: Logger;
  /** Sets it up on a fresh channel. An error closes the channel and is tried again. */
  readonly setUp: (channel: Channel) => Promise<void>;
  /** Called after each later set-up: messages may have been missed in between. */
  readonly onRestored?: () => void;
  /**
   * Called once at the end, the channel still open if there is one; resolves when the work under
   * way is answered.
   */
  readonly windDown: (channel: Channel | undefined) => Promise<void>;
}

const longestPauseMs = 2_000;

/** Resolves when it has been set up for the first time; rejects when that fails. */
export async function attach(o: AttachOptions): Promise<ChannelSupervisor> {
  const stop = new AbortController();
  let channel: Channel | undefined = await openChannel(o);

  const keep = async () => {
    while (!stop.signal.aborted) {
      if (channel?.active) await closed(channel, stop.signal);
      if (stop.signal.aborted) return;
      o.log.warn("bus.detached", { consumer: o.name });
      channel = await reopen(o, stop.signal);
      if (channel === undefined) return;
      o.log.info("bus.attached", { consumer: o.name });
      o.onRestored?.();
    }
  };
  const keeping = keep();

  return {
    ready: () => !stop.signal.aborted && channel?.active === true && o.connection.ready,
    async [Symbol.asyncDispose]() {
      if (stop.signal.aborted) return;
      stop.abort();
      await keeping;
      await o.windDown(channel?.active ? channel : undefined);
      if (channel?.active) await withTimeout(channel.close(), 2_000, () => {});
    },
  };
}

async function openChannel(o: AttachOptions): Promise<Channel> {
  const channel = await o.connection.acquire({ emitErrorsFromChannel: true });
  channel.on("error", (error) => o.log.warn("bus.channel_failed", { consumer: o.name, error }));
  // The queue was deleted or moved: the channel lives, but nothing will come.
  channel.on("basic.cancel", () => void channel.close());
  try {
    await o.setUp(channel);
    return channel;
  } catch (error) {
    await channel.close();
    throw error;
  }
}

async function reopen(o: AttachOptions, signal: AbortSignal): Promise<Channel | undefined> {
  for (let pauseMs = 50; !signal.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      const channel = await openChannel(o);
      if (!signal.aborted) return channel;
      await channel.close();
    } catch (error) {
      o.log.debug("bus.attach_failed", { consumer: o.name, error });
      await delay(pauseMs, signal).catch(() => {});
    }
  }
  return undefined;
}

async function closed(channel: Channel, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    channel.once("close", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (!channel.active || signal.aborted) resolve();
  });
}
