import type { Writable } from "node:stream";

/** Writes that leave each connection by one system call for each turn of the event loop. */
export interface WriteTurn {
  write(connection: Writable, bytes: Buffer): void;
}

/** More is not held back: what the connection takes must not count as waiting for a slow client. */
const maxHeldBytes = 16 * 1024;

/** A replay, or a bundle with several statuses of an order, is many frames for one connection at once. */
export function createWriteTurn(): WriteTurn {
  let held: Writable[] = [];

  function release(): void {
    const connections = held;
    held = [];
    for (const connection of connections) connection.uncork();
  }

  return {
    write(connection, bytes) {
      if (connection.writableCorked === 0) {
        connection.cork();
        if (held.push(connection) === 1) process.nextTick(release);
      }
      connection.write(bytes);
      if (connection.writableLength > maxHeldBytes) connection.uncork();
    },
  };
}
