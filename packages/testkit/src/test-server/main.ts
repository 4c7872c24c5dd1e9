/*
 * The process behind `createTestBroker`: runs one RabbitMQ for all test processes of this user. A
 * connection to its socket is a virtual host: made at the first byte, deleted when the connection
 * closes, which also happens when the test process is killed. With the last connection gone for a
 * while, the keeper stops the broker and ends.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { silentLogger } from "@smartcart/runtime";
import type { PrivateBroker } from "../private-broker.ts";
import { startPrivateBroker } from "../private-broker.ts";
import { keeperSocket, sharedDirectory } from "./broker-paths.ts";
import { addVirtualHost, deleteVirtualHost } from "./virtual-host.ts";

const lingerMs = 10_000;

/** The socket is the lock: who listens on it is the keeper. */
async function main(): Promise<void> {
  if (await isTaken()) return;
  await rm(keeperSocket(), { force: true });
  const idle = Promise.withResolvers<void>();
  const connections = new Set<Socket>();
  let timer: NodeJS.Timeout | undefined;
  const stopWhenIdle = () => {
    clearTimeout(timer);
    timer = setTimeout(() => connections.size === 0 && idle.resolve(), lingerMs);
  };
  const broker = startBroker();
  const server = createServer((socket) => {
    connections.add(socket);
    void serve(socket, broker).finally(() => {
      connections.delete(socket);
      stopWhenIdle();
    });
  });
  server.listen(keeperSocket());
  await once(server, "listening");
  stopWhenIdle();
  await Promise.race([idle.promise, broker.then(() => idle.promise)]);
  server.close();
  await (await broker)[Symbol.asyncDispose]();
}

async function startBroker(): Promise<PrivateBroker> {
  const directory = join(sharedDirectory(), "node");
  // Nothing in it is worth keeping, and what a killed run left could be broken. The rest tells of a
  // node that still runs.
  await rm(join(directory, "mnesia"), { recursive: true, force: true });
  return await startPrivateBroker({ directory, log: silentLogger });
}

/** One connection, one virtual host. */
async function serve(socket: Socket, starting: Promise<PrivateBroker>): Promise<void> {
  const closed = new Promise((resolve) => {
    socket.on("error", resolve).on("end", resolve).on("close", resolve);
  });
  const asked = new Promise<boolean>((resolve) => socket.once("data", () => resolve(true)));
  // Others only look whether somebody listens.
  if (!(await Promise.race([asked, closed.then(() => false)]))) return void socket.end();
  try {
    const { amqpUrl, managementUrl } = await starting;
    const added = await addVirtualHost({ amqpUrl, managementUrl });
    socket.write(`${JSON.stringify({ ...added, managementUrl })}\n`);
    await closed;
    await deleteVirtualHost(managementUrl, added.vhost);
  } catch (error) {
    socket.write(`${JSON.stringify({ error: String(error) })}\n`);
  }
  socket.end();
}

async function isTaken(): Promise<boolean> {
  const probe = connect(keeperSocket());
  const taken = await new Promise<boolean>((resolve) => {
    probe.on("connect", () => resolve(true)).on("error", () => resolve(false));
  });
  probe.destroy();
  return taken;
}

await main();
process.exit(0);
