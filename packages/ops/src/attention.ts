import { untilAborted } from "@smartcart/runtime";

/** Whether a console is open. Without one nothing is measured: reports of seven services every second are half of the CPU time of an idle shop. */
export interface Attention extends Disposable {
  /** True from the first follower on until a while after the last one, so that a reloaded page finds the seconds in between. */
  isAwake(): boolean;
  /** Resolves when it is awake, or the signal fires. */
  untilAwake(signal: AbortSignal): Promise<void>;
  /** Fires when it falls asleep next. */
  asleep(): AbortSignal;
  /** Calls back whenever it wakes up. */
  onAwake(listener: () => void): void;
  /** Called with the current number of readers. */
  followers(count: number): void;
}

/** Pause of a timer that has nothing to do before it is woken up, in milliseconds. */
export const asleepMs = 3_600_000;

/** `lingerMs`: how long it stays awake after the last follower has left, in milliseconds. */
export function createAttention(lingerMs: number): Attention {
  const listeners: (() => void)[] = [];
  let sleep = new AbortController();
  let awake = Promise.withResolvers<void>();
  let isAwake = false;
  let fallAsleep: NodeJS.Timeout | undefined;

  function wakeUp(): void {
    isAwake = true;
    sleep = new AbortController();
    awake.resolve();
    for (const listener of listeners) listener();
  }

  return {
    isAwake: () => isAwake,
    async untilAwake(signal) {
      await untilAborted(awake.promise, signal);
    },
    asleep: () => sleep.signal,
    onAwake: (listener) => void listeners.push(listener),
    followers(count) {
      clearTimeout(fallAsleep);
      if (count > 0) {
        if (!isAwake) wakeUp();
        return;
      }
      fallAsleep = setTimeout(() => {
        isAwake = false;
        awake = Promise.withResolvers();
        sleep.abort();
      }, lingerMs);
    },
    [Symbol.dispose]: () => clearTimeout(fallAsleep),
  };
}
