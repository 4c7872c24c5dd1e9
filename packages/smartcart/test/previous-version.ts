/**
 * The code that was released before this one, as a tree of its own that can be started: from git where that knows it,
 * else a copy of the present code, so that what is tested is at least a restart.
 */
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runCommand } from "@smartcart/testkit";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folders = ["packages", "gen", "web", "scripts"];
const main = "packages/smartcart/src/main.ts";

// What runs; a commit that changed only tests or words is the same version.
const code = [
  ":(glob)packages/*/src/**",
  ":(glob)packages/**/migrations/**",
  "proto",
  "gen",
  ":(exclude,glob)packages/**/*.test.ts",
  ":(exclude)packages/testkit",
  ":(exclude)packages/chaos",
];

export interface PreviousVersion extends AsyncDisposable {
  /** For a test's title: "commit 1a2b3c4 Take orders". */
  readonly title: string;
  /** Its `main.ts`. */
  readonly main: string;
}

/**
 * Unpacks the newest commit whose code is not the present one and starts; the last commit where all that git knows is the
 * same code; a copy of the present code where no git knows any.
 */
export async function unpackPreviousVersion(): Promise<PreviousVersion> {
  for await (const { commit, title } of candidates()) {
    const previous = await unpack(commit, title);
    // A commit that is broken, or needs a package from npm that is not installed any more, was never in use.
    if (await canStart(previous)) return previous;
    await previous[Symbol.asyncDispose]();
  }
  return unpack(undefined, "a copy of the present code");
}

interface Candidate {
  readonly commit: string;
  readonly title: string;
}

async function* candidates(): AsyncGenerator<Candidate> {
  const log = await git("log", "--first-parent", "--max-count=20", "--format=%h %s");
  const commits = (log?.trim().split("\n") ?? []).map((title) => ({
    commit: title.split(" ", 1)[0] ?? "",
    title,
  }));
  for (const { commit, title } of commits) {
    const same = (await git("diff", "--quiet", commit, "--", ...code)) !== undefined;
    const startable = (await git("cat-file", "-e", `${commit}:${main}`)) !== undefined;
    if (!same && startable) yield { commit, title: `commit ${title}` };
  }
  for (const { commit, title } of commits.slice(0, 1)) {
    yield { commit, title: `the present code, as in commit ${title}` };
  }
}

/** Puts it into a temporary folder, on the packages from npm that are installed here. */
async function unpack(commit: string | undefined, title: string): Promise<PreviousVersion> {
  const tree = await mkdtemp(join(tmpdir(), "smartcart-previous-"));
  await using unpacking = new AsyncDisposableStack();
  unpacking.defer(() => rm(tree, { recursive: true, force: true }));
  if (commit === undefined) await copyPresent(tree);
  else await extract(commit, tree);
  // The page is not what is tested. Newer than its sources, it is not built again.
  await cp(join(root, "web/dist"), join(tree, "web/dist"), { recursive: true });
  await linkModules(tree);
  const unpacked = unpacking.move();
  return {
    title,
    main: join(tree, main),
    [Symbol.asyncDispose]: () => unpacked.disposeAsync(),
  };
}

/** Whether all that it imports is there. */
async function canStart(previous: PreviousVersion): Promise<boolean> {
  const { href } = pathToFileURL(join(dirname(previous.main), "index.ts"));
  const args = ["--input-type=module", "-e", `await import(${JSON.stringify(href)})`];
  return (await runCommand(process.execPath, args, { timeoutMs: 60_000 })).code === 0;
}

async function extract(commit: string, tree: string): Promise<void> {
  const archive = join(tree, "archive.tar");
  const archived = await git("archive", "--output", archive, commit, ...folders);
  if (archived === undefined) throw new Error(`git cannot give out commit ${commit}`);
  const { code, stderr } = await runCommand("tar", ["-xf", archive, "-C", tree]);
  if (code !== 0) throw new Error(`tar: ${stderr}`);
  await rm(archive);
}

async function copyPresent(tree: string): Promise<void> {
  const left = new Set(["node_modules", "dist", ".turbo"]);
  const filter = (path: string) =>
    !relative(root, path)
      .split(sep)
      .some((name) => left.has(name));
  for (const folder of folders) {
    await cp(join(root, folder), join(tree, folder), { recursive: true, filter });
  }
}

/** Its own packages by their names, everything else from here. */
async function linkModules(tree: string): Promise<void> {
  const from = join(root, "node_modules");
  const to = join(tree, "node_modules");
  await mkdir(join(to, "@smartcart"), { recursive: true });
  for (const name of await readdir(from)) {
    if (name !== "@smartcart") await symlink(join(from, name), join(to, name));
  }
  const packages = (await readdir(join(tree, "packages"))).map((name) => join("packages", name));
  for (const folder of [...packages, "gen", "web", "scripts"]) {
    const name = folder.split(sep).at(-1) ?? "";
    await symlink(join(tree, folder), join(to, "@smartcart", name));
  }
}

/** What git wrote, or undefined where it failed or is not there. */
async function git(...args: string[]): Promise<string | undefined> {
  const result = await runCommand("git", ["-C", root, ...args]).catch(() => undefined);
  return result?.code === 0 ? result.stdout : undefined;
}
