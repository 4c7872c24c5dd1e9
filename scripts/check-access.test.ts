import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const repository = join(import.meta.dirname, "..");
const env = {
  ...process.env,
  PATH: `${join(repository, "node_modules/.bin")}:${process.env.PATH}`,
};
const orders = "proto/smartcart/order/v1/order_service.proto";
const inventory = "proto/smartcart/inventory/v1/inventory_service.proto";
const frames = "proto/smartcart/status/v1/frames.proto";

let root: string;

// The contract as it is, released.
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "smartcart-access-"));
  for (const name of ["proto", "third_party", "buf.yaml"]) {
    cpSync(join(repository, name), join(root, name), { recursive: true });
  }
  mkdirSync(join(root, "baseline"));
  const output = ["--exclude-source-info", "--output", "baseline/contract.binpb"];
  execFileSync("buf", ["build", ...output], { cwd: root, env });
});
afterAll(() => rmSync(root, { recursive: true }));

/** What the check says of the contract with a file changed. */
async function check(file: string, change: (text: string) => string) {
  const path = join(root, file);
  const text = readFileSync(path, "utf8");
  expect(change(text)).not.toBe(text);
  writeFileSync(path, change(text));
  try {
    return await run("node", [join(import.meta.dirname, "check-access.ts"), root], { env });
  } catch (error) {
    return error as { stdout: string; stderr: string };
  } finally {
    writeFileSync(path, text);
  }
}

const changeRule = (method: string, change: (rule: string) => string) => (text: string) => {
  const at = text.indexOf("access: {", text.indexOf(`rpc ${method}(`));
  const end = text.indexOf("\n      }", at) + "\n      }".length;
  return text.slice(0, at) + change(text.slice(at, end)) + text.slice(end);
};

test("a comment changes nothing", async () => {
  const { stdout, stderr } = await check(orders, (text) => `${text}\n// A comment.\n`);
  expect({ stdout, stderr }).toMatchObject({
    stdout: expect.stringContaining(", 0 faults"),
    stderr: "",
  });
});

test.each<[string, string, (text: string) => string, string]>([
  [
    "without a rule",
    orders,
    changeRule("GetOrder", () => ""),
    "OrderService/GetOrder: (smartcart.mesh.v1) access is missing",
  ],
  [
    "that admits no caller",
    orders,
    changeRule("GetOrder", () => "access: {}"),
    "access admits no caller",
  ],
  [
    "for a service that is none",
    inventory,
    changeRule("ReleaseReservation", (rule) => rule.replace("reconciler", "reconcilers")),
    'names "reconcilers", which is no service',
  ],
  [
    "that is public among others",
    orders,
    changeRule("GetOrder", (rule) => rule.replace("operator", "public")),
    "is public, so that nothing else",
  ],
  [
    "by a field that is none",
    orders,
    changeRule("GetOrder", (rule) => rule.replace("order_id", "id")),
    'names "id", which is no singular string field',
  ],
  [
    "by a field that is no text",
    orders,
    changeRule("ListOrders", (rule) => rule.replace("user_id", "page_size")),
    'names "page_size", which is no singular string field',
  ],
  [
    "that lets more in in numbers",
    inventory,
    changeRule("BatchReserve", () => 'access: {services: ["order", "ops"]}'),
    "which it carries",
  ],
  [
    "without a rule (a frame)",
    frames,
    (text) => text.replace(/ {2}option \(smartcart.mesh.v1.frame_access\)[^;]*;/, ""),
    "Subscription: (smartcart.mesh.v1) access is missing",
  ],
])("one %s fails", async (_, file, change, message) => {
  expect((await check(file, change)).stderr).toContain(message);
});

test.each<[string, string, (text: string) => string, string]>([
  [
    "public",
    orders,
    changeRule("CancelOrder", () => "access: {public: true}"),
    "OrderService/CancelOrder: is public",
  ],
  [
    "for one more service",
    inventory,
    changeRule("ReleaseReservation", (rule) => rule.replace('"reconciler"', '"reconciler", "log"')),
    "lets the service log in",
  ],
  [
    "for every customer",
    orders,
    changeRule("GetOrder", (rule) => rule.replace('resource_field: "order_id"', "")),
    "no longer asks that order_id is the customer's own",
  ],
  [
    "for operators",
    inventory,
    changeRule("ReleaseReservation", (rule) => rule.replace("services", "operator: true services")),
    "lets operators in",
  ],
  [
    "for every customer (a frame)",
    frames,
    (text) => text.replace('subject_field: "user_id"', ""),
    "no longer asks that user_id",
  ],
])("one that is %s now is weaker than released", async (_, file, change, message) => {
  expect((await check(file, change)).stderr).toContain(message);
});
