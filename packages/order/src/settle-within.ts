/** What the promise comes to within that time, in milliseconds; undefined where it takes longer. It goes on. */
export function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, timeoutMs, undefined);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
