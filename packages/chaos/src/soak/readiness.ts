/** Probes the readiness of every service during the whole run. */

interface ReadinessWatch extends Disposable {
  /** Probes that were not answered with 200 in time: the second of the run, the URL, and the answer. */
  failures(): readonly string[];
}

const everyMs = 500;

/** `patienceMs`: how long an answer may take. */
export function watchReadiness(urls: readonly string[], patienceMs: number): ReadinessWatch {
  const startedAt = performance.now();
  const failed: string[] = [];
  const ask = async (url: string) => {
    const askedAt = performance.now();
    // A new connection per probe: kept ones would count as descriptors of the shop.
    const init = { headers: { connection: "close" }, signal: AbortSignal.timeout(patienceMs) };
    const answer = await fetch(url, init).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status;
      },
      (error: Error) => error.name,
    );
    if (answer === 200) return;
    const second = ((askedAt - startedAt) / 1_000).toFixed(0);
    failed.push(`at ${second} s ${url}: ${answer}`);
  };
  // One service at a time, so that the probes cost little.
  let turn = 0;
  const timer = setInterval(
    () => void ask(urls[turn++ % urls.length] ?? ""),
    everyMs / urls.length,
  );
  return { failures: () => failed, [Symbol.dispose]: () => clearInterval(timer) };
}
