import { execFile } from "node:child_process";
import { access, chown, constants } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Where the parts of an installed RabbitMQ are. */
export interface Installation {
  readonly server: string;
  readonly ctl: string;
  readonly epmd: string;
}

/** The operating system's user that runs it. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The installed RabbitMQ, if there is one. */
export async function findRabbitmq(): Promise<Installation | undefined> {
  // biome-ignore lint/style/noProcessEnv: where programs are is no configuration of ours
  const path = (process.env.PATH ?? "").split(delimiter);
  // Debian's commands in /usr/sbin switch to the user of the system's node; those in here are the
  // plain ones.
  const folders = [
    "/usr/lib/rabbitmq/bin",
    ...path,
    "/usr/local/sbin",
    "/opt/homebrew/sbin",
    "/usr/sbin",
  ];
  const server = await findExecutable("rabbitmq-server", folders);
  const epmd = await findExecutable("epmd", [...path, "/usr/bin", "/opt/homebrew/bin"]);
  if (server === undefined || epmd === undefined) return undefined;
  return { server, ctl: join(dirname(server), "rabbitmqctl"), epmd };
}

/**
 * The user to run a node in this folder as: as root, `rabbitmq` where it exists and can reach the
 * folder, which it is given; undefined means the present user.
 */
export async function chooseOwner(directory: string): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const [uid = 0, gid = 0] = await Promise.all(
      ["-u", "-g"].map(async (flag) => Number((await execute("id", [flag, "rabbitmq"])).stdout)),
    );
    await chown(directory, uid, gid);
    await chown(join(directory, "home"), uid, gid);
    await execute("test", ["-w", directory], { uid, gid });
    return { uid, gid };
  } catch {
    return undefined;
  }
}

/** Runs a command as the owner; rejects when it fails. */
export async function runAs(
  command: string,
  args: readonly string[],
  o: { env: Readonly<Record<string, string>>; owner: Owner | undefined },
): Promise<string> {
  const { stdout } = await execute(command, [...args], { env: o.env, cwd: "/", ...o.owner });
  return stdout;
}

async function findExecutable(
  name: string,
  folders: readonly string[],
): Promise<string | undefined> {
  for (const folder of folders) {
    const file = join(folder, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== "" && found) return file;
  }
  return undefined;
}
