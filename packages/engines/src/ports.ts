import { connect, createServer } from "node:net";

// Below the ports of outgoing connections (Linux: from 32768): the system may take one of those at any time.
const lowest = 10_000;
const highest = 29_999;

const taken = new Set<number>();

/**
 * So many distinct free ports on loopback, for processes that need their port as a setting. They are not reserved, but chosen at
 * random and never twice by one process, so that concurrent processes rarely choose the same ones.
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

/** Whether something accepts connections there: a port of `localhost`, or the path of a Unix socket. */
export function isListening(address: number | string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket =
      typeof address === "string"
        ? connect(address)
        : connect({ port: address, host: "localhost" });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}
