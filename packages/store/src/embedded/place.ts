import { chmod, chown, mkdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { reasonOf, StartError } from "@smartcart/runtime";
import type { Account } from "./account.ts";
import { assertUsable, chooseAccount } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { findBinaries, prepareBinaries } from "./binaries.ts";
import { isPresent } from "./files.ts";

/** Where an embedded database lives, and what runs it as whom. */
export interface Place {
  readonly stateDirectory: string;
  /** Folder of everything about the embedded database, in the state folder. */
  readonly root: string;
  /** Data folder of PostgreSQL, in `root`. */
  readonly dataDirectory: string;
  readonly binaries: Binaries;
  /** The user it runs as; undefined: the current one. */
  readonly account: Account | undefined;
  /** False: nothing is flushed to disk. */
  readonly durable: boolean;
}

/** Makes the folders and finds the binaries. Throws StartError when PostgreSQL could not work there. */
export async function preparePlace(o: {
  stateDirectory: string;
  durable?: boolean;
}): Promise<Place> {
  const { stateDirectory, durable = true } = o;
  const root = join(stateDirectory, "postgres");
  const dataDirectory = join(root, "data");
  const found = await findBinaries();
  const account = await chooseAccount(dataDirectory);
  await makeFolders(stateDirectory, root, account);
  await assertUsable(stateDirectory, root, account);
  if (await isPresent(dataDirectory)) await assertVersion(stateDirectory, dataDirectory, found);
  const binaries = await prepareBinaries(found, root, account !== undefined);
  return { stateDirectory, root, dataDirectory, binaries, account, durable };
}

async function makeFolders(
  stateDirectory: string,
  root: string,
  account: Account | undefined,
): Promise<void> {
  try {
    await makeOpenFolders(stateDirectory);
    await mkdir(root, { recursive: true, mode: 0o700 });
    if (account && (await stat(root)).uid !== account.uid) {
      await chown(root, account.uid, account.gid);
    }
  } catch (cause) {
    throw new StartError(
      `SMARTCART_STATE=${stateDirectory} cannot be used: ${reasonOf(cause)}; ` +
        "set SMARTCART_STATE to a folder that can be written",
      { variable: "SMARTCART_STATE", cause },
    );
  }
}

/** New folders above the data can be entered by everybody, whatever the umask: root's PostgreSQL is another user. */
async function makeOpenFolders(stateDirectory: string): Promise<void> {
  const first = await mkdir(stateDirectory, { recursive: true });
  if (!first) return;
  for (let folder = stateDirectory; folder.startsWith(first); folder = dirname(folder)) {
    await chmod(folder, 0o755);
  }
}

async function assertVersion(
  stateDirectory: string,
  dataDirectory: string,
  { major }: Binaries,
): Promise<void> {
  const version = await readFile(join(dataDirectory, "PG_VERSION"), "utf8").catch(() => "");
  if (version.trim() === major) return;
  const found = version.trim() ? `is of PostgreSQL ${version.trim()}` : "is not one of PostgreSQL";
  throw new StartError(
    `SMARTCART_STATE=${stateDirectory}: the folder ${dataDirectory} ${found}, but this SmartCart ` +
      `brings PostgreSQL ${major}: dump and restore it with the old version, ` +
      "or set SMARTCART_STATE to a new folder",
    { variable: "SMARTCART_STATE" },
  );
}
