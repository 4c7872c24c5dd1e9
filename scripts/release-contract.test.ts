import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { presentMigrations, releasedMigrations } from "./released-migrations.ts";

const run = promisify(execFile);
const script = join(import.meta.dirname, "release-contract.ts");
const bin = join(import.meta.dirname, "../node_modules/.bin");

let root: string;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "smartcart-contract-"));
  mkdirSync(join(root, "proto"));
  writeFileSync(
    join(root, "buf.yaml"),
    "version: v2\nmodules: [{ path: proto }]\nbreaking: { use: [WIRE_JSON] }\n",
  );
  writeContract("string user_id = 1;");
  await git("init", "--quiet");
  await commit();
});
afterEach(() => rmSync(root, { recursive: true }));

test("without the word nothing is renewed", async () => {
  await expect(release()).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("npm run contract:release -- renew"),
  });
});

test("a contract that is not committed is refused, by the names of its files", async () => {
  writeContract("string user_id = 1; string address = 2;");
  await expect(release("renew")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("proto/order.proto"),
  });
});

test("a renewed baseline holds against the contract, and bites when that breaks", async () => {
  await release("renew");
  await expect(breaking()).resolves.toMatchObject({ stdout: "" });

  writeContract("int64 user_id = 1;");
  await expect(breaking()).rejects.toMatchObject({ stdout: expect.stringContaining("user_id") });

  await commit();
  const { stdout } = await release("renew");
  expect(stdout).toContain("Breaks clients of the last release");
  await expect(breaking()).resolves.toMatchObject({ stdout: "" });
});

test("the migrations are renewed with it, once they are committed", async () => {
  writeMigration("create table shop.orders ();");
  await expect(release("renew")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("packages/order/migrations/"),
  });
  await commit();
  await release("renew");
  const renewed = releasedMigrations(root);
  expect(renewed).toEqual(presentMigrations(root));

  writeMigration("create table shop.order ();");
  await commit();
  const { stdout } = await release("renew");
  expect(stdout).toContain("Breaks databases of the last release");
  expect(stdout).toContain("packages/order/migrations/0001_orders.sql");
  expect(releasedMigrations(root)).not.toEqual(renewed);
});

function writeMigration(sql: string): void {
  mkdirSync(join(root, "packages/order/migrations"), { recursive: true });
  writeFileSync(join(root, "packages/order/migrations/0001_orders.sql"), sql);
}

function writeContract(fields: string): void {
  const source = `syntax = "proto3";\npackage order.v1;\nmessage Order { ${fields} }\n`;
  writeFileSync(join(root, "proto/order.proto"), source);
}

function release(...args: string[]) {
  return inRoot(process.execPath, script, ...args);
}

function breaking() {
  return inRoot("buf", "breaking", "--against", "baseline/contract.binpb");
}

function git(...args: string[]) {
  return inRoot("git", "-c", "user.name=test", "-c", "user.email=test@example.invalid", ...args);
}

async function commit(): Promise<void> {
  await git("add", ".");
  await git("commit", "--quiet", "--message", "contract");
}

function inRoot(command: string, ...args: string[]) {
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  return run(command, args, { cwd: root, env });
}
