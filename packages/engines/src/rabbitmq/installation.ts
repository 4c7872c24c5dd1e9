import { access, constants } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

/** Paths of an installed RabbitMQ's programs. */
export interface Installation {
  readonly server: string;
  readonly ctl: string;
  /** Erlang's port mapper. */
  readonly epmd: string;
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

async function findExecutable(
  name: string,
  folders: readonly string[],
): Promise<string | undefined> {
  for (const folder of folders.filter(Boolean)) {
    const file = join(folder, name);
    try {
      await access(file, constants.X_OK);
      return file;
    } catch {
      // The next folder may have it.
    }
  }
  return undefined;
}
