/** The ops service as a process of its own. */
import { expect, it } from "vitest";
import { runCommand } from "@smartcart/testkit";

const main = new URL("../src/main.ts", import.meta.url).pathname;

it("refuses to be open to the network without authentication, in one line that names the variable", async () => {
  const { code, stderr } = await runCommand(process.execPath, [main], { env: { HOST: "0.0.0.0" } });
  expect(code).toBe(1);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(/^ops: HOST=0\.0\.0\.0 would open the shop/);
});
