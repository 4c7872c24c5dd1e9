/**
 * The migrations of the last release, by their checksums: `baseline/migrations.json`. `migrate` refuses an applied file
 * that changed, but only where it meets a database that has it; this finds it before anybody's database does.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** SHA-256 in hex by file, relative to the root of the repository. Its folder is its set. */
export type Migrations = Readonly<Record<string, string>>;

export const migrationsBaseline = "baseline/migrations.json";

/** Those of the working folder, sorted. */
export function presentMigrations(root: string): Migrations {
  const files = globSync("packages/**/migrations/**/*.sql", {
    cwd: root,
    exclude: (name) => basename(name) === "node_modules",
  });
  return Object.fromEntries(files.sort().map((file) => [file, sha256(join(root, file))]));
}

/** Those of the last release; none where nothing was released yet. */
export function releasedMigrations(root: string): Migrations {
  const file = join(root, migrationsBaseline);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
}

/** Makes the migrations of the working folder those of the last release. */
export function renewMigrations(root: string): void {
  const text = JSON.stringify(presentMigrations(root), undefined, 2);
  writeFileSync(join(root, migrationsBaseline), `${text}\n`);
}

/** A sentence for each way in which a database of the last release could not be brought up to date. */
export function brokenMigrations(released: Migrations, present: Migrations): string[] {
  const lost = Object.entries(released).flatMap(([file, checksum]) => {
    const now = present[file];
    if (now === undefined) return [`${file} was released, and is gone: put it back`];
    if (now !== checksum) return [`${file} was released, and has changed: put it back as it was`];
    return [];
  });
  const early = Object.keys(present).filter(
    (file) => !(file in released) && Object.keys(released).some((old) => !comesAfter(file, old)),
  );
  return [...lost, ...early.map((file) => `${file} is new, and comes before a released one`)];
}

/** Files of different sets do not know each other. */
function comesAfter(file: string, released: string): boolean {
  return dirname(file) !== dirname(released) || numberOf(file) > numberOf(released);
}

function numberOf(file: string): number {
  return Number.parseInt(basename(file), 10);
}

// As `migrate` in packages/store counts it: the line ends of a checkout are no edit.
function sha256(file: string): string {
  const sql = readFileSync(file, "utf8").replaceAll("\r\n", "\n");
  return createHash("sha256").update(sql).digest("hex");
}
