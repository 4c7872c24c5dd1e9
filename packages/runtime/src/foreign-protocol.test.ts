import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { foreignProtocolAt } from "./foreign-protocol.ts";

async function portOf(server: Server): Promise<{ host: string; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

test("HTTP is known by its answer", async () => {
  const server = createHttpServer((_, response) => response.end());
  expect(await foreignProtocolAt(await portOf(server))).toBe("HTTP");
  server.close();
});

test.each([
  [
    "a server that greets in another protocol",
    (s: import("node:net").Socket) => s.end("AMQP\0\0\x09\x01"),
  ],
  ["one that closes", (s: import("node:net").Socket) => s.destroy()],
  ["one that says nothing", () => {}],
])("%s is not named", async (_, serve) => {
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    serve(socket);
  });
  expect(await foreignProtocolAt(await portOf(server))).toBeUndefined();
  server.close();
});

test("a closed port has no protocol", async () => {
  expect(await foreignProtocolAt({ host: "127.0.0.1", port: 1 })).toBeUndefined();
});
