/** What the catalogue of a new database begins with: SMARTCART_SEED. */
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate } from "@smartcart/store";
import { createTestDatabase, errorOf } from "@smartcart/testkit";
import { seedCatalogue } from "../src/import/seed.ts";
import { brokenStock } from "./support.ts";

const migrations = new URL("../migrations/", import.meta.url);
const files = new AsyncDisposableStack();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "goods-"));
  files.defer(() => rm(folder, { recursive: true }));
});
afterAll(() => files.disposeAsync());

async function writeGoods(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

/** A new database with the tables of the service. */
async function openDatabase() {
  await using opening = new AsyncDisposableStack();
  const { url } = opening.use(await createTestDatabase());
  const database = opening.use(createDatabase({ url, schema: "inventory", log: silentLogger }));
  await migrate(database, { name: "inventory", directory: migrations });
  const open = opening.move();
  return { database, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const idsOf = async (database: Database) => {
  const { rows } = await database.query({ text: "select product_id from product order by 1" });
  return rows.map((row) => row.product_id);
};

describe("a new catalogue begins", () => {
  it("with the demo, and stays as it is when another seed is named later", async () => {
    await using opened = await openDatabase();
    await seedCatalogue(opened.database, "demo");
    await seedCatalogue(opened.database, "none");
    expect(await idsOf(opened.database)).toHaveLength(24);
  });

  it("empty, once, though several processes start at the same time", async () => {
    await using opened = await openDatabase();
    const starts = Array.from({ length: 4 }, () => seedCatalogue(opened.database, "none"));
    await Promise.all(starts);
    expect(await idsOf(opened.database)).toEqual([]);
  });

  it("with a file, all of it or nothing", async () => {
    await using opened = await openDatabase();
    const { database } = opened;
    const header = "product_id,name,category,price,currency,stock";
    const bad = await writeGoods("bad.csv", `${header}\nmug,Mug,Tea,4.5,USD,3\npot,,Tea,x,USD,1\n`);
    const error = await errorOf(seedCatalogue(database, bad));
    expect((error as Error).message).toMatch(
      /^SMARTCART_SEED: .*bad.csv has 2 problems; correct them:\n.*bad.csv:3: name: .*\n.*bad.csv:3: price: /,
    );
    expect(await idsOf(database)).toHaveLength(24);
    const good = await writeGoods(
      "good.csv",
      `${header}\nmug,Mug,Tea,4.5,USD,3\npot,Pot,Tea,9,USD,1\n`,
    );
    await seedCatalogue(database, good);
    expect(await idsOf(database)).toEqual(["mug", "pot"]);
    expect(await brokenStock(database)).toEqual([]);
  });

  it.each([
    ["nonsense", /"nonsense" must be demo, none, or a file/],
    ["/no/such/goods.csv", /\/no\/such\/goods.csv cannot be read: ENOENT/],
  ])("not with %s, which is said", async (seed, message) => {
    await using opened = await openDatabase();
    const error = await errorOf(seedCatalogue(opened.database, seed));
    expect(error).toMatchObject({ variable: "SMARTCART_SEED" });
    expect((error as Error).message).toMatch(message);
  });
});

it("a database that is older than the setting keeps its catalogue", async () => {
  await using opening = new AsyncDisposableStack();
  const { url } = opening.use(await createTestDatabase());
  const database = opening.use(createDatabase({ url, schema: "inventory", log: silentLogger }));
  const before = join(folder, "migrations");
  await mkdir(before);
  const files = (await readdir(migrations)).filter((file) => file < "0004");
  for (const file of files) await copyFile(new URL(file, migrations), join(before, file));
  await migrate(database, { name: "inventory", directory: pathToFileURL(before) });
  await migrate(database, { name: "inventory", directory: migrations });
  await seedCatalogue(database, "none");
  expect(await idsOf(database)).toHaveLength(24);
});
