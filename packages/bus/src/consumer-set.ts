import type { RunningConsumer } from "./types.ts";

/** The consumers of a bus. Disposing it disposes those that still run, all at once. */
interface Running extends AsyncDisposable {
  /** Returns a wrapper that removes the consumer from the set when it is disposed. */
  add(consumer: RunningConsumer): RunningConsumer;
}

/** An empty set. */
export function keepRunning(): Running {
  const consumers = new Set<RunningConsumer>();
  return {
    add(consumer) {
      consumers.add(consumer);
      return {
        ready: () => consumer.ready(),
        async [Symbol.asyncDispose]() {
          await consumer[Symbol.asyncDispose]();
          consumers.delete(consumer);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...consumers].map((consumer) => consumer[Symbol.asyncDispose]()));
    },
  };
}
