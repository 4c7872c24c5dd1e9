/** Runs every line of the READMEs that calls a running SmartCart. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandResult } from "@smartcart/testkit";
import { runCommand } from "@smartcart/testkit";
import { describeReadme } from "@smartcart/testkit/suites";
import type { ReadmeExample } from "./readme-lines.ts";
import { packageReadmes, problemOf, root, scriptExamples, shellExamples } from "./readme-lines.ts";
import { startStack, wholeLife } from "./stack.ts";

const readme = await readFile(`${root}README.md`, "utf8");

/** The `sh` blocks that call a running SmartCart; those that install, start or test it are no lines for this test. */
const lines = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)]
  .map(([, block = ""]) => block.trim())
  .filter((block) => /localhost:\d+/.test(block));

const serviceByPort: Readonly<Record<string, string>> = {
  "8080": "order",
  "8081": "inventory",
  "8082": "payment",
  "8083": "status-hub",
  "8084": "log",
  "8085": "notification",
  "8086": "shipping",
  "8087": "ops",
};

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack();
});
afterAll(() => shop?.[Symbol.asyncDispose]());

/** The code with the ports of this test's SmartCart. */
function withPorts(code: string): string {
  return code.replaceAll(/localhost:(\d+)/g, (_, port: string) => {
    const service = serviceByPort[port];
    if (service === undefined) throw new Error(`no service has port ${port} of the README`);
    return new URL(shop.urls[service] ?? "").host;
  });
}

/** Runs a block in a shell against this test's SmartCart. */
async function paste(block: string): Promise<CommandResult> {
  return runCommand("sh", ["-c", withPorts(block)], { cwd: root, timeoutMs: 25_000 });
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

const files = await packageReadmes();
const examples = (await Promise.all(files.map(shellExamples))).flat();
const calls = examples.filter(({ code }) => /localhost:\d+/.test(code));
const commands = examples.filter((example) => !calls.includes(example));
const scripts = (await Promise.all(files.map(scriptExamples))).flat();

describe("the examples in the packages' READMEs", () => {
  let orderId = "";
  beforeAll(async () => {
    const items = [{ productId: "espresso-beans", quantity: 1 }];
    const { body } = await shop.place({ userId: "u1", items, address: "1 Main St" });
    orderId = body.orderId;
    await shop.history(orderId, "Shipped");
  });
  const isStream = ({ code }: ReadmeExample) => /Service\/(Watch|Tail)/.test(code);
  const fillIn = ({ code }: ReadmeExample) => withPorts(code.replaceAll("ORD-…", orderId));

  it.concurrent.each(calls.filter((call) => !isStream(call)))("$file: $code", async (example) => {
    const { code, stdout, stderr } = await paste(fillIn(example));
    expect(code, stderr).toBe(0);
    expect(stdout).not.toBe("");
    expect(stdout).not.toContain("urn:smartcart:problem");
  });

  it.concurrent.each(calls.filter(isStream))("$file: $code", async (example) => {
    // 124: it was still open when `timeout` ended it. A call that fails ends with a code of its own.
    const { code, stderr } = await paste(`timeout 5 ${fillIn(example)}`);
    expect(code, stderr).toBe(124);
  });

  it.concurrent.for(scripts)("$file: $code", async (example, { onTestFinished }) => {
    const script = spawn(process.execPath, ["--eval", fillIn(example)]);
    onTestFinished(() => void script.kill());
    for await (const chunk of script.stdout) if (String(chunk).includes('"Shipped"')) return;
    expect.fail("it ended before the last status");
  });

  it.each(commands)("$file: $code", async (example) => {
    expect(await problemOf(example)).toBeUndefined();
  });
});

describe("the examples of the page", async () => {
  await describeReadme(new URL("../../../web/", import.meta.url));
});
