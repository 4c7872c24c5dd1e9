/**
 * Runs `work`; rejects with `problem` when it takes longer than `timeoutMs`. The work itself is not
 * stopped.
 */
export async function withTimeout<T>(
  timeoutMs: number,
  problem: string,
  work: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${problem} within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
