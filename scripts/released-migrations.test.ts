import {
  copyFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  brokenMigrations,
  migrationsBaseline,
  presentMigrations,
  releasedMigrations,
  renewMigrations,
} from "./released-migrations.ts";

const root = join(import.meta.dirname, "..");
const catalogue = "packages/inventory/migrations/0002_seed_catalogue.sql";

test("a database of the last release can be brought up to date: its migrations are there, unchanged", () => {
  expect(Object.keys(releasedMigrations(root))).toContain(catalogue);
  expect(brokenMigrations(releasedMigrations(root), presentMigrations(root))).toEqual([]);
});

test("every set is found: none of the folders of migrations is empty to this check", () => {
  const sets = new Set(Object.keys(presentMigrations(root)).map(dirname));
  for (const service of ["order", "inventory", "payment", "shipping", "log"]) {
    expect(sets).toContain(`packages/${service}/migrations`);
  }
  for (const set of ["queue", "outbox"]) {
    expect(sets).toContain(`packages/bus/migrations/${set}`);
  }
});

describe("in a copy of the repository", () => {
  let copy: string;
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), "smartcart-migrations-"));
    for (const file of [...Object.keys(presentMigrations(root)), migrationsBaseline]) {
      cpSync(join(root, file), join(copy, file), { recursive: true });
    }
    // Whatever has come since the last release, so that each case has one cause.
    renewMigrations(copy);
  });
  afterEach(() => rmSync(copy, { recursive: true }));

  const broken = () => brokenMigrations(releasedMigrations(copy), presentMigrations(copy));
  const sibling = (name: string) => join(copy, dirname(catalogue), name);

  test("a released migration may not change", () => {
    const file = join(copy, catalogue);
    writeFileSync(file, `${readFileSync(file, "utf8")}select 1;\n`);
    expect(broken()).toEqual([`${catalogue} was released, and has changed: put it back as it was`]);
  });

  test("line ends are no change", () => {
    const file = join(copy, catalogue);
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("\n", "\r\n"));
    expect(broken()).toEqual([]);
  });

  test("nor vanish", () => {
    rmSync(join(copy, catalogue));
    expect(broken()).toEqual([`${catalogue} was released, and is gone: put it back`]);
  });

  test("nor get another number", () => {
    renameSync(join(copy, catalogue), sibling("0999_seed_catalogue.sql"));
    expect(broken()).toEqual([`${catalogue} was released, and is gone: put it back`]);
  });

  test("a new one may only be appended", () => {
    copyFileSync(join(copy, catalogue), sibling("0001_early.sql"));
    copyFileSync(join(copy, catalogue), sibling("0999_late.sql"));
    const early = `${dirname(catalogue)}/0001_early.sql`;
    expect(broken()).toEqual([`${early} is new, and comes before a released one`]);
  });

  test("a set of its own begins with its own first number", () => {
    cpSync(join(copy, catalogue), join(copy, "packages/other/migrations", basename(catalogue)));
    expect(broken()).toEqual([]);
  });
});
