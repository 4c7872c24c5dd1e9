import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, isListening, startSupervisedProcess } from "@smartcart/engines";
import { waitFor } from "./wait-for.ts";

/** A PgBouncer in front of a database. Disposing stops it. */
interface PgBouncer extends AsyncDisposable {
  /** The same database, through it. */
  readonly url: string;
}

interface PgBouncerOptions {
  /** URL of the database behind it. */
  readonly target: string;
  readonly poolMode: "session" | "transaction" | "statement";
  /** Start-up parameters that it ignores instead of rejecting the connection: "options,statement_timeout". Default none. */
  readonly ignoredParameters?: string;
  /** Connections to the server. Default 100. */
  readonly poolSize?: number;
}

/** Whether to skip tests that need it. In CI it is always there, or else they fail. */
export function skipPgBouncer(): boolean {
  return !process.env.CI && spawnSync("pgbouncer", ["--version"]).error !== undefined;
}

/** Starts one on a free port of 127.0.0.1. */
export async function startPgBouncer(o: PgBouncerOptions): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), "smartcart-pgbouncer-"));
  await chmod(folder, 0o755);
  const [port = 0] = await freePorts(1);
  const file = join(folder, "pgbouncer.ini");
  const logFile = join(folder, "output.log");
  await writeFile(file, settings(o, port));
  const server = startSupervisedProcess({
    command: ["pgbouncer", "--quiet", file],
    env: { PATH: process.env.PATH ?? "" },
    cwd: folder,
    // It does not run as root; the user "nobody" is 65534 on every Linux.
    osUser: process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined,
    logFile,
    stopSignals: ["SIGKILL"],
  });
  await waitFor(async () => server.hasEnded() || (await isListening(port)), { what: "pgbouncer" });
  if (server.hasEnded()) throw new Error(`pgbouncer ended: ${await readFile(logFile, "utf8")}`);
  const url = new URL(o.target);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function settings(o: PgBouncerOptions, port: number): string {
  const { hostname, port: targetPort, username, password, pathname } = new URL(o.target);
  return `
[databases]
${pathname.slice(1)} = host=${hostname} port=${targetPort} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${o.poolMode}
default_pool_size = ${o.poolSize ?? 100}
ignore_startup_parameters = ${o.ignoredParameters ?? ""}
`;
}
