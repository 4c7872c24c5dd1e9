import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { textFrame } from "./text-frame.ts";

const texts = [0, 1, 125, 126, 65_535, 65_536, 200_000].map((length) => "a".repeat(length));

test("a client of ws gets every text as it was, whatever its length", async () => {
  const sent = [...texts, "Überraschung 🎁 ".repeat(9)];
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  await once(server, "listening");
  server.on("connection", (_, { socket }) => {
    for (const text of sent) socket.write(textFrame(text));
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const received: string[] = [];
  client.on("message", (data, isBinary) => received.push(isBinary ? "binary" : data.toString()));
  await expect.poll(() => received.length).toBe(sent.length);
  expect(received).toEqual(sent);
  client.terminate();
  server.close();
});
