import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { freePorts } from "@smartcart/engines";
import { spawnService } from "./spawn-service.ts";
import { waitFor } from "./wait-for.ts";

const script = join(tmpdir(), `smartcart-testkit-${process.pid}.mjs`);
afterAll(() => rm(script, { force: true }));

async function writeServer() {
  await writeFile(
    script,
    `import { createServer } from "node:http";
     createServer((_, response) => response.end()).listen(process.env.PORT, "127.0.0.1");
     process.on("SIGTERM", () => { console.error("bye"); process.exit(0); });`,
  );
}

it("runs a program until it is told to end", async () => {
  await writeServer();
  const [port = 0] = await freePorts(1);
  const part = spawnService({ args: [script], env: { PORT: String(port) } });
  await part.answers(`http://127.0.0.1:${port}/`);
  await part[Symbol.asyncDispose]();
  expect(await part.exited).toBe(0);
  expect(part.errorOutput()).toBe("bye\n");
});

it("says by which signal a program ended", async () => {
  await writeServer();
  await using part = spawnService({ args: [script], env: { PORT: "0" } });
  part.kill("SIGKILL");
  expect(await part.exited).toBe("SIGKILL");
});

it("does not wait for a program that has ended", async () => {
  await using part = spawnService({
    args: ["-e", "console.log('no port'); process.exit(1)"],
    env: {},
  });
  await expect(part.answers("http://127.0.0.1:9/")).rejects.toThrow("no port");
});

it("ends a part whose test was killed", async () => {
  await writeServer();
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/`;
  const test = `
    import { spawnService } from ${JSON.stringify(new URL("./spawn-service.ts", import.meta.url).href)};
    const part = spawnService({ args: [${JSON.stringify(script)}], env: { PORT: "${port}" } });
    await part.answers(${JSON.stringify(url)});
    process.kill(process.pid, "SIGKILL");`;
  await using killed = spawnService({ args: ["--input-type=module", "-e", test], env: {} });
  expect(await killed.exited, killed.output()).toBe("SIGKILL");
  await waitFor(async () => (await fetch(url).catch(() => undefined)) === undefined);
});
