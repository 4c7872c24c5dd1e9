/** `smartcart catalogue` against a real inventory service: what an operator types, and what the answer is. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inventoryConfig, startInventory } from "@smartcart/inventory";
import { parseConfig, silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { createTestDatabase, runCommand, waitFor } from "@smartcart/testkit";
import { runCli } from "../src/cli/run-cli.ts";

const bin = fileURLToPath(new URL("../bin/smartcart.js", import.meta.url));
const opsToken = "a-token-of-operators";
const running = new AsyncDisposableStack();
let folder: string;
let env: NodeJS.ProcessEnv;
let database: Database;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "goods-"));
  running.defer(() => rm(folder, { recursive: true }));
  const { url } = running.use(await createTestDatabase());
  database = running.use(createDatabase({ url, schema: "inventory", log: silentLogger }));
  const secrets = { OPS_TOKEN: opsToken, MESH_SECRET: "a-secret-of-services" };
  const settings = { INVENTORY_PORT: "0", SMARTCART_SEED: "none", ...secrets };
  const config = parseConfig(settings, inventoryConfig);
  const service = running.use(
    await startInventory({ config, databaseUrl: url, log: silentLogger }),
  );
  env = { INVENTORY_URL: service.url, SMARTCART_STATE: folder, OPS_TOKEN: opsToken };
});
afterAll(() => running.disposeAsync());

async function catalogue(args: string[], more: NodeJS.ProcessEnv = {}) {
  const written = { stdout: "", stderr: "" };
  const code = await runCli(["catalogue", ...args], { ...env, ...more }, (stream, text) => {
    written[stream] += text;
    return undefined;
  });
  return { code, ...written };
}

async function write(name: string, lines: readonly string[]): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}

const header = "product_id,name,category,price,currency,stock";
const goods = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index},Mug ${index},Tea,4.50,USD,3`);
const countOf = async (prefix: string) => {
  const text = "select count(*)::int as n from product where product_id like $1 || '-%'";
  return (await database.query({ text, values: [prefix] })).rows[0].n;
};

describe("import", () => {
  it("creates, then changes nothing, and takes what export wrote", async () => {
    const file = await write("shop.csv", [header, ...goods("shop", 3)]);
    const dry = await catalogue(["import", file, "--dry-run"]);
    expect(dry).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("3 products would be created"),
    });
    expect(await countOf("shop")).toBe(0);
    const first = await catalogue(["import", file]);
    expect(first).toEqual({
      code: 0,
      stderr: "",
      stdout: `${file}: 3 products created, 0 updated, 0 unchanged.\n`,
    });
    const unchanged = expect.stringContaining("nothing changed. 3 products are as the file says.");
    expect(await catalogue(["import", file])).toMatchObject({ code: 0, stdout: unchanged });
    for (const name of ["out.csv", "out.jsonl"]) {
      const exported = join(folder, name);
      expect(await catalogue(["export", exported])).toMatchObject({ code: 0, stdout: "" });
      const again = await catalogue(["import", exported]);
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing changed") });
    }
    const printed = await catalogue(["export"]);
    expect(printed.stdout).toBe(await readFile(join(folder, "out.csv"), "utf8"));
  });

  it("names each of 1,000 bad lines of 10 kinds by number and field, and changes nothing", async () => {
    const kinds: ((id: string) => string)[] = [
      () => ",Mug,Tea,4.50,USD,3",
      (id) => `${id},,Tea,4.50,USD,3`,
      (id) => `${id},Mug,,4.50,USD,3`,
      (id) => `${id},Mug,Tea,four,USD,3`,
      (id) => `${id},Mug,Tea,4.505,USD,3`,
      (id) => `${id},Mug,Tea,4.50,ZZZ,3`,
      (id) => `${id},Mug,Tea,,USD,3`,
      (id) => `${id},Mug,Tea,4.50,USD,many`,
      (id) => `${id},Mug,Tea,4.50,USD`,
      () => "bad-good,Mug,Tea,4.50,USD,3",
    ];
    const fields = [
      "product_id",
      "name",
      "category",
      "price",
      "price",
      "currency",
      "price",
      "stock",
      "has 5 cells",
      "product_id",
    ];
    const bad = Array.from(
      { length: 1_000 },
      (_, index) => kinds[index % 10]?.(`bad-${index}`) ?? "",
    );
    const file = await write("bad.csv", [header, "bad-good,Mug,Tea,4.50,USD,3", ...bad]);
    const { code, stderr, stdout } = await catalogue(["import", file]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    const reported = stderr.trim().split("\n");
    expect(reported.pop()).toBe(
      "Nothing was imported: 1,000 lines cannot be. Correct them, or import the others with --keep-going.",
    );
    const expected = bad.map((_, index) => `${file}:${index + 3}: ${fields[index % 10]}`);
    const found = reported.map((line) => expected.find((one) => line.startsWith(one)));
    expect(new Set(found)).toEqual(new Set(expected));
    expect(reported).toHaveLength(1_000);
    expect(await countOf("bad")).toBe(0);
    const kept = await catalogue(["import", file, "--keep-going", "--json"]);
    expect(kept.code).toBe(1);
    expect(JSON.parse(kept.stdout)).toMatchObject({ created: 1, rejected: 1_000 });
    expect(await countOf("bad")).toBe(1);
  });

  it("that is killed half-way leaves nothing, and the next one is complete", async () => {
    const lines = [header, ...goods("killed", 2_500)];
    // From a standard input that never ends, so that it cannot come to its end before it is killed.
    const args = [bin, "catalogue", "import", "-", "--format", "csv"];
    const stdio = ["pipe", "ignore", "ignore"] as const;
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: [...stdio],
    });
    child.stdin?.write(`${lines.join("\n")}\n`);
    const staged =
      "select count(*)::int as n from catalogue_import_row where product_id like 'killed-%'";
    await waitFor(async () => (await database.query({ text: staged })).rows[0].n > 0);
    child.kill("SIGKILL");
    expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
    expect(await countOf("killed")).toBe(0);
    const file = await write("killed.csv", lines);
    expect(await catalogue(["import", file])).toMatchObject({ code: 0 });
    expect(await countOf("killed")).toBe(2_500);
  });

  it.each([
    [["import", "/no/such.csv"], /^\/no\/such.csv: ENOENT/],
    [["import", "/no/such.xlsx"], /ends in neither .csv nor .jsonl/],
    [["export", "/no/such/folder.csv"], /^\/no\/such\/folder.csv could not be written: ENOENT/],
    [["price", "no-such-thing", "1"], /No product has the id "no-such-thing"/],
    [["restock", "no-such-thing", "1"], /No product has the id "no-such-thing"/],
  ])("%j fails with a sentence", async (args, message) => {
    const { code, stderr } = await catalogue(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

describe("one product", () => {
  beforeAll(async () => {
    const file = await write("one.jsonl", [
      '{"productId":"pot","name":"Pot","category":"Tea","price":"9","currency":"USD","stock":1}',
    ]);
    await catalogue(["import", file]);
  });

  it("is restocked, once for each id, and taken from", async () => {
    const restock = (...args: string[]) => catalogue(["restock", "pot", ...args]);
    expect(await restock("5", "--id", "delivery-1")).toMatchObject({
      stdout: "pot: 6 available.\n",
    });
    expect(await restock("5", "--id", "delivery-1")).toMatchObject({
      stdout: "pot: 6 available.\n",
    });
    expect(await restock("-2", "--note", "broken")).toMatchObject({
      stdout: "pot: 4 available.\n",
    });
    expect((await restock("-5")).stderr).toContain("4 units available");
    expect((await restock("0")).code).toBe(2);
    const { rows } = await database.query({
      text: "select delta, reason, note, operator from stock_adjustment order by sequence",
    });
    expect(rows).toEqual([
      { delta: 5, reason: "RECEIVED", note: "", operator: "ops-token" },
      { delta: -2, reason: "WRITTEN_OFF", note: "broken", operator: "ops-token" },
    ]);
  });

  it("gets another price, in its own currency or another", async () => {
    const price = (...args: string[]) => catalogue(["price", "pot", ...args]);
    expect((await price("9.5")).stdout).toBe("pot: USD 9.00 → USD 9.50, for orders from now on.\n");
    expect((await price("950", "JPY")).stdout).toContain("USD 9.50 → JPY 950");
    expect((await price("9.5")).stderr).toContain("too many decimal places");
    const { stdout } = await catalogue(["list", "po", "tea", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ product_id: "pot", price: "950", currency: "JPY" });
  });
});

it("prints the URL of the database, with its password", async () => {
  const DATABASE_URL = "postgres://me:a-secret-word@db.example:5432/shop?sslnegotiation=postgres";
  const db = await runCommand(process.execPath, [bin, "db"], {
    env: { ...process.env, DATABASE_URL },
  });
  expect(db).toMatchObject({
    code: 0,
    stdout: "postgres://me:a-secret-word@db.example:5432/shop\n",
  });
});

it("needs OPS_TOKEN where the services ask for it, and a service that runs", async () => {
  const without = await catalogue(["list"], { OPS_TOKEN: undefined });
  expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining("Set OPS_TOKEN") });
  const nowhere = await catalogue(["list"], { INVENTORY_URL: "http://127.0.0.1:9" });
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining("does not answer") });
});
