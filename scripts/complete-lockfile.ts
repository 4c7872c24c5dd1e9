/**
 * Adds to package-lock.json what `npm install` leaves out when its registry does not carry the builds of a package
 * for other platforms: `npm run lockfile`. `npm ci` refuses a lock file that lacks them, on every platform.
 *
 * An entry gets the version that its parent pins, and the platform that its name says, so that npm installs it there
 * only, and the integrity that the registry's metadata states.
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** The part of an entry of package-lock.json (lockfileVersion 3) that matters here. */
interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Where a build runs, as npm writes it; `libc` is there on Linux only. */
interface Platform {
  readonly cpu: readonly string[];
  readonly libc: { readonly libc?: readonly string[] };
  readonly os: readonly string[];
}

/** The entries by path ("node_modules/turbo"). */
type Packages = Readonly<Record<string, LockEntry>>;

const osNames = { windows: "win32" } as Readonly<Record<string, string>>;
const osTokens =
  /^(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32|windows)$/;
const cpuNames = { "64": "x64", armv7: "arm" } as Readonly<Record<string, string>>;
const cpuTokens = /^(64|arm|arm64|armv7|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)$/;

/** `packages` and an entry for each optional dependency that has none, in npm's order. Changes nothing else. */
export function completePackages(packages: Packages): Packages {
  const missing: Record<string, LockEntry> = {};
  for (const [path, parent] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const platform = platformOf(name);
      const known = packages[`node_modules/${name}`] ?? packages[`${path}/node_modules/${name}`];
      if (known !== undefined || platform === undefined || !/^\d/.test(version)) continue;
      const dev = parent.dev === true ? { dev: true } : {};
      const { cpu, libc, os } = platform;
      // In the order in which npm writes them, so that npm has nothing to rewrite.
      missing[`node_modules/${name}`] = { version, cpu, ...dev, ...libc, optional: true, os };
    }
  }
  const entries = Object.entries({ ...packages, ...missing });
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b, "en")));
}

/** The platform in the name of a build ("@turbo/windows-arm64"), or undefined where it names none. */
export function platformOf(name: string): Platform | undefined {
  const tokens = name.split(/[/-]/);
  const os = tokens.find((token) => osTokens.test(token));
  const cpu = tokens.find((token) => cpuTokens.test(token));
  if (os === undefined || cpu === undefined) return undefined;
  const libc = tokens.map(libcOf).filter((found) => found !== undefined);
  return {
    cpu: [cpuNames[cpu] ?? cpu],
    libc: libc.length > 0 ? { libc } : {},
    os: [osNames[os] ?? os],
  };
}

function libcOf(token: string): string | undefined {
  if (token.startsWith("musl")) return "musl";
  return token.startsWith("gnu") ? "glibc" : undefined;
}

/** Paths of the entries that come from the registry, and could be anything for all that the lock file says. */
export function withoutIntegrity(packages: Packages): string[] {
  return Object.entries(packages).flatMap(([path, { version, integrity, link }]) => {
    const isFromRegistry = path.includes("node_modules/") && version !== undefined && link !== true;
    return isFromRegistry && integrity === undefined ? [path] : [];
  });
}

/** `packages` with the integrity that `ask` states for what has none. */
export async function completeIntegrity(
  packages: Packages,
  ask: (name: string, version: string) => Promise<string>,
): Promise<Packages> {
  const found = withoutIntegrity(packages).map(async (path) => {
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const { version = "", ...rest } = packages[path] ?? {};
    return [path, { version, integrity: await ask(name, version), ...rest }] as const;
  });
  return { ...packages, ...Object.fromEntries(await Promise.all(found)) };
}

async function askRegistry(name: string, version: string): Promise<string> {
  const { stdout } = await promisify(execFile)("npm", [
    "view",
    `${name}@${version}`,
    "dist.integrity",
  ]);
  const integrity = stdout.trim();
  if (/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)) return integrity;
  throw new Error(`the registry states no integrity of ${name}@${version}`);
}

if (import.meta.main) {
  const file = join(import.meta.dirname, "../package-lock.json");
  const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Packages };
  const complete = completePackages(lock.packages);
  const packages = await completeIntegrity(complete, askRegistry);
  writeFileSync(file, `${JSON.stringify({ ...lock, packages }, undefined, 2)}\n`);
  const added = Object.keys(packages).length - Object.keys(lock.packages).length;
  console.log(`package-lock.json: ${added} builds for other platforms added`);
}
