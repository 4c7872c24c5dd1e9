/** Builds the page where no build of it is there yet, or an older one than its sources. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { processExists, StartError } from "@smartcart/runtime";

const require = createRequire(import.meta.url);
const webRoot = dirname(require.resolve("@smartcart/web/package.json"));
const sources = [
  "index.html",
  "vite.config.ts",
  "dev-server.ts",
  "without-rules.ts",
  "proxy-rules.ts",
  "src",
  "public",
  "package.json",
];

/** The folder of the built page. In a container the page is built with the image, and this only finds it. */
export async function buildPage(): Promise<string> {
  const page = join(webRoot, "dist");
  const built = await stat(join(page, "index.html")).catch(() => undefined);
  const newest = await newestOf(sources.map((name) => join(webRoot, name)));
  if (built === undefined || built.mtimeMs < newest) await replacePage(page);
  return page;
}

/** Builds beside the old page and then replaces it, so that no browser receives half a page, also when two processes build at once. */
async function replacePage(page: string): Promise<void> {
  const fresh = `${page}-${process.pid}`;
  await removeLeftovers();
  try {
    await runVite(fresh);
    await rm(page, { recursive: true, force: true });
    await rename(fresh, page).catch((error: NodeJS.ErrnoException) => {
      // Another process has just put the same page there.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Deletes the temporary folders of builds whose process was killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(webRoot)) {
    const pid = /^dist-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !processExists(Number(pid))) {
      await rm(join(webRoot, name), { recursive: true, force: true });
    }
  }
}

async function newestOf(paths: readonly string[]): Promise<number> {
  let newest = 0;
  for (const path of paths.filter((path) => existsSync(path))) {
    const info = await stat(path);
    const children = info.isDirectory() ? await readdir(path) : [];
    const below = await newestOf(children.map((name) => join(path, name)));
    newest = Math.max(newest, below, info.isDirectory() ? 0 : info.mtimeMs);
  }
  return newest;
}

// In a process of its own, so that the bundler's memory goes back when it is done.
function runVite(outDir: string): Promise<void> {
  const manifest = createRequire(join(webRoot, "package.json")).resolve("vite/package.json");
  const vite = join(dirname(manifest), "bin/vite.js");
  const args = [vite, "build", "--logLevel", "error", "--outDir", outDir];
  const child = spawn(process.execPath, args, {
    cwd: webRoot,
    // Also where a test starts it: Lit would bring its development mode along.
    // biome-ignore lint/style/noProcessEnv: not read, only handed on to a process of its own
    env: { ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) return resolve();
      reject(
        new StartError(`the page could not be built; run "npm run build" to see why\n${output}`),
      );
    });
  });
}
