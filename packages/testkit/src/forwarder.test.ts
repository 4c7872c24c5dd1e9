import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { freePorts } from "@smartcart/engines";
import { startForwarder } from "./forwarder.ts";

it("stands for another server as long as it runs", async () => {
  const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const [port = 0] = await freePorts(1);
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();

  await expect(ask()).rejects.toThrow();
  {
    const target = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
    await using _forwarder = await startForwarder({ port, target });
    expect(await ask()).toBe("hello");
  }
  await expect(ask()).rejects.toThrow();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
