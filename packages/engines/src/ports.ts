/** Ports that nobody listens on, for processes that have to be told theirs. */
import { createServer } from "node:net";

// Below the ports that systems hand to outgoing connections (Linux: from 32768): one of those may be gone a moment later.
const lowest = 10_000;
const highest = 29_999;

const taken = new Set<number>();

/**
 * So many distinct free ports on loopback. Nobody keeps them free, but they are chosen at random and never twice by one
 * process, so that tests that run at once do not choose the same ones.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (taken.has(port)) continue;
    taken.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
