/*
 * The process behind `createTestDatabase` and `createTestBroker`, one for each: runs one server for all test processes of this user. A
 * connection to its socket is a loan: made at the first byte, taken back when the connection closes, which also happens
 * when the test process is killed. It stops the server and ends when no connection has been open for a while.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { lockDirectory } from "@smartcart/engines";
import { startDatabases } from "./databases.ts";
import type { Lender } from "./lender.ts";
import type { ServerKind } from "./paths.ts";
import { sharedDirectory, socketPath } from "./paths.ts";
import { startVirtualHosts } from "./virtual-hosts.ts";

const start = { databases: startDatabases, "virtual-hosts": startVirtualHosts };

async function main(kind: ServerKind): Promise<void> {
  const directory = sharedDirectory(kind);
  // Of several that start at once only one gets the directory; the others end here.
  await using _lock = await lockDirectory(directory);
  await using lender = await start[kind](directory);
  const idle = Promise.withResolvers<void>();
  const connections = new Set<Socket>();
  let timer: NodeJS.Timeout | undefined;
  const stopWhenIdle = () => {
    clearTimeout(timer);
    timer = setTimeout(() => connections.size === 0 && idle.resolve(), lender.lingerMs);
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    void serve(socket, lender).finally(() => {
      connections.delete(socket);
      stopWhenIdle();
    });
  });
  // One that is still there is of a test server that was killed.
  await rm(socketPath(kind), { force: true });
  server.listen(socketPath(kind));
  await once(server, "listening");
  stopWhenIdle();
  await idle.promise;
  server.close();
}

/** One connection, one loan. */
async function serve(socket: Socket, lender: Lender): Promise<void> {
  const closed = new Promise((resolve) => {
    socket.on("error", resolve).on("end", resolve).on("close", resolve);
  });
  const asked = new Promise<boolean>((resolve) => socket.once("data", () => resolve(true)));
  // Others only look whether it listens.
  if (!(await Promise.race([asked, closed.then(() => false)]))) return void socket.end();
  try {
    const { lent, takeBack } = await lender.lend();
    socket.write(`${JSON.stringify({ lent })}\n`);
    await closed;
    await takeBack();
  } catch (error) {
    socket.write(`${JSON.stringify({ error: String(error) })}\n`);
  }
  socket.end();
}

await main(process.argv[2] as ServerKind);
process.exit(0);
