import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { expect, test } from "vitest";
import type { PipelineOptions } from "./pipelines.ts";
import { boundPipelines } from "./pipelines.ts";

/** A server that answers no request by itself, and a client that sends so many. */
async function startSilent(options: PipelineOptions, requests: number) {
  const open = new Set<string>();
  const answers: (() => void)[] = [];
  const server = createServer(
    boundPipelines(options, (req, res) => {
      open.add(req.url ?? "");
      res.once("close", () => open.delete(req.url ?? ""));
      answers.push(() => res.end());
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const get = (_: unknown, i: number) => `GET /${i} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  client.resume().write(Array.from({ length: requests }, get).join(""));
  const connections = () =>
    new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
  return {
    open,
    client,
    connections,
    answerNext: () => answers.shift()?.(),
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("so many requests are worked on, in their order, and the next when one is answered", async () => {
  await using silent = await startSilent({ atOnce: 2 }, 4);
  await expect.poll(() => [...silent.open]).toEqual(["/0", "/1"]);
  silent.answerNext();
  await expect.poll(() => [...silent.open]).toEqual(["/1", "/2"]);
});

test("a client that left while its requests wait is found out", async () => {
  await using silent = await startSilent({ atOnce: 2, stuckMs: 200 }, 4);
  await expect.poll(() => silent.open.size).toBe(2);
  silent.client.destroy();
  await expect.poll(() => silent.open.size).toBe(0);
  await expect.poll(silent.connections).toBe(0);
});

test("a connection that gets on is not cut off, however long it takes", async () => {
  await using silent = await startSilent({ atOnce: 1, stuckMs: 400 }, 5);
  for (let i = 0; i < 5; i++) {
    await expect.poll(() => [...silent.open]).toEqual([`/${i}`]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    silent.answerNext();
  }
  await expect.poll(() => silent.open.size).toBe(0);
  expect(await silent.connections()).toBe(1);
});
