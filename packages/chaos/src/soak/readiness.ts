/** Asks every instance all the while whether it is ready. */

interface ReadinessWatch extends Disposable {
  /** What did not answer 200 in time: the second of the run, the URL, and what it said. */
  failures(): readonly string[];
}

const everyMs = 500;

/** `patienceMs`: how long an answer may take. */
export function watchReadiness(urls: readonly string[], patienceMs: number): ReadinessWatch {
  const startedAt = performance.now();
  const failed: string[] = [];
  const ask = async (url: string) => {
    const askedAt = performance.now();
    // A connection of its own: those that are kept would count among what the shop holds.
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
  // One instance at a time: the probes themselves cost next to nothing.
  let turn = 0;
  const timer = setInterval(
    () => void ask(urls[turn++ % urls.length] ?? ""),
    everyMs / urls.length,
  );
  return { failures: () => failed, [Symbol.dispose]: () => clearInterval(timer) };
}
