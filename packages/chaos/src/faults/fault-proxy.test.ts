import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { expect, it } from "vitest";
import { waitFor } from "@smartcart/testkit";
import { startFaultProxy } from "./fault-proxy.ts";

/** A server that answers what it gets, between brackets. */
async function startEcho(name = "") {
  const sockets = new Set<Socket>();
  const received: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.on("data", (data) => {
      received.push(data.toString());
      socket.write(`${name}[${data}]`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received,
    sockets,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function open(port: number) {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  let error: NodeJS.ErrnoException | undefined;
  socket.on("data", (data) => {
    text += data;
  });
  socket.on("error", (e) => {
    error = e;
  });
  await once(socket, "connect");
  return {
    socket,
    text: () => text,
    error: () => error,
    async reads(wanted: string) {
      await waitFor(() => text === wanted, { what: `${wanted}, not ${text}` });
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

it("passes bytes on", async () => {
  await using echo = await startEcho();
  await using proxy = await startFaultProxy({ targets: [echo.port] });
  using client = await open(proxy.port);
  client.socket.write("a");
  await client.reads("[a]");
});

it("skips a server that does not accept", async () => {
  const gone = await startEcho();
  await gone[Symbol.asyncDispose]();
  await using echo = await startEcho();
  await using proxy = await startFaultProxy({ targets: [gone.port, echo.port] });
  for (const word of ["a", "b"]) {
    using client = await open(proxy.port);
    client.socket.write(word);
    await client.reads(`[${word}]`);
  }
});

it("balances servers round-robin", async () => {
  await using one = await startEcho("1");
  await using two = await startEcho("2");
  await using proxy = await startFaultProxy({ targets: [one.port, two.port], firstTurn: 1 });
  using first = await open(proxy.port);
  first.socket.write("a");
  await first.reads("2[a]");
  using second = await open(proxy.port);
  second.socket.write("b");
  await second.reads("1[b]");
});

it("keeps the order when the delay ends", async () => {
  await using echo = await startEcho();
  await using proxy = await startFaultProxy({ targets: [echo.port] });
  using client = await open(proxy.port);
  client.socket.write("a");
  await client.reads("[a]");
  proxy.inject({ kind: "latency", delayMs: 100 });
  client.socket.write("b");
  await new Promise((resolve) => setTimeout(resolve, 20));
  proxy.heal();
  client.socket.write("c");
  await waitFor(() => echo.received.join("") === "abc");
});

it("resets in the middle of an answer", async () => {
  await using echo = await startEcho();
  await using proxy = await startFaultProxy({ targets: [echo.port] });
  using client = await open(proxy.port);
  proxy.inject({ kind: "reset" });
  client.socket.write("abcd");
  await waitFor(() => client.error()?.code === "ECONNRESET");
  expect(client.text()).toBe("[ab");
});

it("loses one direction, which comes back with what was on its way", async () => {
  await using echo = await startEcho();
  await using proxy = await startFaultProxy({ targets: [echo.port] });
  using client = await open(proxy.port);
  client.socket.write("a");
  await client.reads("[a]");
  proxy.inject({ kind: "black-hole", direction: "to-client" });
  client.socket.write("b");
  await waitFor(() => echo.received.includes("b"));
  expect(client.text()).toBe("[a]");
  proxy.heal();
  await client.reads("[a][b]");
});

it("leaves the client alone with a server that is gone, until the fault ends", async () => {
  await using echo = await startEcho();
  await using proxy = await startFaultProxy({ targets: [echo.port] });
  using client = await open(proxy.port);
  client.socket.write("a");
  await client.reads("[a]");
  proxy.inject({ kind: "half-open" });
  client.socket.write("b");
  await waitFor(() => [...echo.sockets].every((socket) => socket.destroyed));
  expect([client.text(), client.error()]).toEqual(["[a]", undefined]);
  proxy.heal();
  await waitFor(() => client.error()?.code === "ECONNRESET");
});
