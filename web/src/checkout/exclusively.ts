/**
 * Runs the work in one tab at a time; the others wait until it is done, or until their `signal` is aborted. A tab that
 * is closed or dies gives way. Where the browser has no Web Locks (a page that is served neither by HTTPS nor from this
 * machine), the work runs at once.
 */
export async function exclusively(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work();
  await navigator.locks.request("smartcart.checkout", { signal }, work);
}
