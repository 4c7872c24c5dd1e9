import type { RunningConsumer } from "@smartcart/bus";

/** A consumer that can leave its queue for a while. */
export interface Pausable extends RunningConsumer {
  /** Finishes the batch under way and leaves: messages wait in the queue, and cost no attempt. */
  pause(): Promise<void>;
  /** Joins again. Rejects where the queue cannot be reached; it may be called again then. */
  resume(): Promise<void>;
}

/** Starts at once. Calls of `pause` and `resume` must not overlap. */
export async function startPausable(start: () => Promise<RunningConsumer>): Promise<Pausable> {
  let consumer: RunningConsumer | undefined = await start();
  const leave = async () => {
    const leaving = consumer;
    consumer = undefined;
    await leaving?.[Symbol.asyncDispose]();
  };
  return {
    ready: () => consumer?.ready() === true,
    pause: leave,
    async resume() {
      consumer ??= await start();
    },
    [Symbol.asyncDispose]: leave,
  };
}
