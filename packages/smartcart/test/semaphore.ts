/** Lets so many tasks run at once; the others wait their turn, first come, first served. */
export function createSemaphore(count: number) {
  let free = count;
  const waiting: Array<() => void> = [];
  return async (task: () => Promise<void>): Promise<void> => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
