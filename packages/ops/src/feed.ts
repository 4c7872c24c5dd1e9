import type { WakeSignal } from "@smartcart/runtime";
import { createWakeSignal } from "@smartcart/runtime";

/** Distributes values to the open streams. */
export interface Feed<T> {
  publish(value: T): void;
  /** Every value from now on, until the signal fires. A follower that falls behind misses the oldest ones. */
  follow(signal: AbortSignal): AsyncGenerator<T>;
}

/** Values that wait for a slow follower. */
const maxWaiting = 10;

interface Follower<T> {
  readonly waiting: T[];
  readonly wake: WakeSignal;
}

/** `onFollowers` is called with each change of their number. */
export function createFeed<T>(onFollowers: (count: number) => void = () => {}): Feed<T> {
  const followers = new Set<Follower<T>>();
  const remove = (follower: Follower<T>) => {
    if (followers.delete(follower)) onFollowers(followers.size);
  };

  async function* read(follower: Follower<T>, signal: AbortSignal) {
    try {
      while (!signal.aborted) {
        const next = follower.waiting.shift();
        if (next === undefined) await follower.wake.wait(signal);
        else yield next;
      }
    } finally {
      remove(follower);
    }
  }

  return {
    publish(value) {
      for (const { waiting, wake } of followers) {
        if (waiting.push(value) > maxWaiting) waiting.shift();
        wake.notify();
      }
    },
    follow(signal) {
      const follower: Follower<T> = { waiting: [], wake: createWakeSignal() };
      signal.addEventListener("abort", () => remove(follower), { once: true });
      // At once, not at the first reading: nothing that comes in between is missed.
      followers.add(follower);
      onFollowers(followers.size);
      return read(follower, signal);
    },
  };
}
