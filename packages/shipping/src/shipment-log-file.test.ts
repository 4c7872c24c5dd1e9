import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createLogger, silentLogger } from "@smartcart/runtime";
import { openShipmentLogFile } from "./shipment-log-file.ts";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "shipping-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

test("each order gets a line; the folder is made, and what was there stays", async () => {
  const path = join(await folder(), "new", "shipping.log");
  const at = new Date("2026-01-02T03:04:05.678Z");
  await (await openShipmentLogFile(path, silentLogger)).append(["ORD-1", "ORD-2"], at);
  await (await openShipmentLogFile(path, silentLogger)).append(["ORD-3"], at);
  expect(await readFile(path, "utf8")).toBe(
    ["ORD-1", "ORD-2", "ORD-3"]
      .map((orderId) => `2026-01-02T03:04:05.678Z Shipping started for OrderId: ${orderId}\n`)
      .join(""),
  );
});

test("only its owner may read it", async () => {
  const path = join(await folder(), "new", "shipping.log");
  await openShipmentLogFile(path, silentLogger);
  const modes = await Promise.all([path, dirname(path)].map(async (one) => (await stat(one)).mode));
  expect(modes.map((mode) => (mode & 0o777).toString(8))).toEqual(["600", "700"]);
});

test("one that others may read is closed to them, and stays with its group", async () => {
  const path = join(await folder(), "shipping.log");
  await writeFile(path, "");
  await chmod(path, 0o664);
  await openShipmentLogFile(path, silentLogger);
  expect(((await stat(path)).mode & 0o777).toString(8)).toBe("660");
});

test("a file that cannot be written is one line that names the variable", async () => {
  const occupied = join(await folder(), "file");
  await writeFile(occupied, "");
  const opening = openShipmentLogFile(join(occupied, "shipping.log"), silentLogger);
  await expect(opening).rejects.toMatchObject({
    code: "START_FAILED",
    variable: "SHIPPING_LOG_FILE",
    message: expect.stringMatching(
      /^SHIPPING_LOG_FILE: .*shipping\.log cannot be written \(.+\); .+$/,
    ),
  });
});

test("a file that is lost later holds up no parcel", async () => {
  const directory = await folder();
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ service: "shipping", destination });
  const shipmentLog = await openShipmentLogFile(join(directory, "sub", "shipping.log"), log);
  await rm(join(directory, "sub"), { recursive: true });
  await shipmentLog.append(["ORD-1"], new Date());
  expect(lines.join()).toContain("shipping.log_file_failed");
});
