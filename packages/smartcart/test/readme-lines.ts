/** The shell and JavaScript examples in the READMEs of all packages. */
import { access, readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createProgram } from "../src/cli/program.ts";

const commandNames = createProgram({
  env: {},
  print: () => true,
  printSecret: () => true,
  printJson: () => true,
  note: () => {},
}).commands.map((command) => command.name());

export const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface ReadmeExample {
  /** Path of the README in the repository. */
  readonly file: string;
  /** One command, without its comment; or a whole block of JavaScript. */
  readonly code: string;
}

/** The READMEs of the packages, of the page and of the scripts. */
export async function packageReadmes(): Promise<string[]> {
  const packages = await readdir(`${root}packages`);
  return [...packages.map((name) => `packages/${name}`), "web", "scripts"].map(
    (folder) => `${folder}/README.md`,
  );
}

/** The commands in the `sh` blocks of a README; lines that end with a backslash are joined. */
export async function shellExamples(file: string): Promise<ReadmeExample[]> {
  const blocks = await blocksOf(file, "sh");
  return blocks
    .flatMap((block) => block.replaceAll(/\\\n\s*/g, "").split("\n"))
    .map((line) => line.replace(/(^|\s+)# .*$/, "").trim())
    .filter((line) => line !== "")
    .map((code) => ({ file, code }));
}

/** The `js` blocks of a README that run on their own, in a browser or in Node.js. */
export async function scriptExamples(file: string): Promise<ReadmeExample[]> {
  const blocks = await blocksOf(file, "js");
  return blocks.filter((code) => code.includes("WebSocket(")).map((code) => ({ file, code }));
}

/** Why a command that does not call a running SmartCart cannot work; undefined if it can. */
export async function problemOf({ code }: ReadmeExample): Promise<string | undefined> {
  const [, main] = /node (packages\/\S+\.ts)/.exec(code) ?? [];
  if (main !== undefined) return exists(main);
  const [, script, workspace] = /^npm run (\S+)(?: -w (\S+))?/.exec(code) ?? [];
  if (script !== undefined) return hasScript(script, workspace === undefined ? "" : "web/");
  if (/^npm (ci|start|test)\b/.test(code)) return undefined;
  const [, command] = /^npx smartcart (\S+)/.exec(code) ?? [];
  if (command === "--help") return undefined;
  return commandNames.includes(command ?? "") ? undefined : "unknown command";
}

async function blocksOf(file: string, language: string): Promise<string[]> {
  const readme = await readFile(root + file, "utf8");
  const blocks = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms");
  return [...readme.matchAll(blocks)].map(([, block = ""]) => block);
}

async function exists(path: string): Promise<string | undefined> {
  return access(root + path).then(
    () => undefined,
    () => `${path} does not exist`,
  );
}

async function hasScript(name: string, folder: string): Promise<string | undefined> {
  const { scripts } = JSON.parse(await readFile(`${root}${folder}package.json`, "utf8"));
  return name in scripts ? undefined : `there is no npm script ${name}`;
}
