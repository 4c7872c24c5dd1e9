import type { RunningConsumer } from "./types.ts";

/** The consumers of a bus. Disposing it disposes those that still run, all at once. */
interface Running extends AsyncDisposable {
  /** Answers the consumer in a form that is forgotten here once it is disposed of. */
  add(consumer: RunningConsumer): RunningConsumer;
}

/** An empty collection. */
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
