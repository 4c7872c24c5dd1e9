/** Every line of the README that a reader can paste while SmartCart runs, pasted. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandResult } from "@smartcart/testkit";
import { runCommand } from "@smartcart/testkit";
import { startStack, wholeLife } from "./stack.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const readme = await readFile(`${root}README.md`, "utf8");

/** The `sh` blocks that call a running SmartCart; those that install, start or test it are no lines for this test. */
const lines = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)]
  .map(([, block = ""]) => block.trim())
  .filter((block) => /localhost:\d+/.test(block));

const partByPort: Readonly<Record<string, string>> = {
  "8080": "order",
  "8081": "inventory",
  "8082": "payment",
  "8083": "status-hub",
  "8084": "log",
  "8087": "ops",
};

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack();
});
afterAll(() => shop?.[Symbol.asyncDispose]());

/** Runs a block as a shell would, but against the ports of this test's SmartCart. */
async function paste(block: string): Promise<CommandResult> {
  const here = block.replaceAll(/localhost:(\d+)/g, (_, port: string) => {
    const part = partByPort[port];
    if (part === undefined) throw new Error(`the README names port ${port}, which no part has`);
    return new URL(shop.urls[part] ?? "").host;
  });
  return runCommand("sh", ["-c", here], { cwd: root, timeoutMs: 25_000 });
}

interface Expectation {
  readonly what: string;
  /** The block that is meant. */
  readonly block: RegExp;
  /** What the reader sees. */
  readonly see: (output: string) => void;
}

const isCharged = (output: string) =>
  expect(JSON.parse(output).payment.status).toBe("PAYMENT_STATUS_CAPTURED");

const isInStock = (output: string) =>
  expect(JSON.parse(output)).toEqual({ isAvailable: true, available: expect.any(Number) });

// In the reader's order: the WebSocket follows the order that was placed before.
const expectations: readonly Expectation[] = [
  {
    what: "curl places an order",
    block: /^curl .*\/placeOrder/,
    see(output) {
      expect(output).toMatch(/^HTTP\/1\.1 201 /);
      expect(output).toMatch(/"orderId":\s*"ORD-[0-9A-Z]{26}"/);
      expect(output).toMatch(/"status":\s*"CONFIRMED"/);
    },
  },
  {
    what: "the WebSocket shows the order's life and ends",
    block: /^npx node -e .*WebSocket/s,
    see(output) {
      const frames = output.trim().split("\n");
      expect(frames.map((frame) => JSON.parse(frame).status)).toEqual(wholeLife);
    },
  },
  {
    what: "buf curl checks stock over gRPC",
    block: /^npx buf curl .*--protocol grpc .*CheckStock/,
    see: isInStock,
  },
  {
    what: "buf curl charges over gRPC",
    block: /^npx buf curl .*--protocol grpc .*ProcessPayment/,
    see: isCharged,
  },
  {
    what: "buf curl checks stock over Connect",
    block: /^npx buf curl (?!.*--protocol).*CheckStock/,
    see: isInStock,
  },
  {
    what: "buf curl charges over Connect",
    block: /^npx buf curl (?!.*--protocol).*ProcessPayment/,
    see: isCharged,
  },
  { what: "curl checks stock", block: /^curl .*CheckStock/, see: isInStock },
];

describe("the README's lines", () => {
  it("are all known to this test, and the main ones are there", () => {
    const unknown = lines.filter((line) => !expectations.some(({ block }) => block.test(line)));
    expect(unknown).toEqual([]);
    for (const main of [
      /placeOrder/,
      /WebSocket/,
      /--protocol grpc .*CheckStock/,
      /ProcessPayment/,
    ]) {
      expect(
        lines.filter((line) => main.test(line)),
        String(main),
      ).not.toEqual([]);
    }
  });

  const pasted = expectations.flatMap(({ what, block, see }) =>
    lines.filter((line) => block.test(line)).map((line) => ({ what, line, see })),
  );
  it.each(pasted)("$what", async ({ line, see }) => {
    const { code, stdout, stderr } = await paste(line);
    expect(code, stderr).toBe(0);
    see(stdout);
  });
});
