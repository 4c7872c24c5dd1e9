import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A PgBouncer before a database. Disposing stops it. */
export interface PgBouncer extends AsyncDisposable {
  /** The same database, through it. */
  readonly url: string;
}

export interface PgBouncerOptions {
  /** The database that it stands before. */
  readonly target: string;
  readonly poolMode: "session" | "transaction" | "statement";
  /** Start-up parameters that it drops rather than refuses: "options,statement_timeout". Default none. */
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
  const port = await findFreePort();
  const file = join(folder, "pgbouncer.ini");
  await writeFile(file, settings(o, port));
  // It refuses to run as root; "nobody" is 65534 on every Linux.
  const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn("pgbouncer", ["--quiet", file], {
    cwd: folder,
    stdio: "ignore",
    ...asNobody,
  });
  const failed = once(child, "error").then(([error]) => Promise.reject(error));
  await Promise.race([waitUntilReady(child, port), failed]);
  failed.catch(() => {});
  const url = new URL(o.target);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
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

async function waitUntilReady(child: ChildProcess, port: number): Promise<void> {
  while (child.exitCode === null) {
    const probe = connect(port, "127.0.0.1");
    const listening = await new Promise<boolean>((resolve) => {
      probe.on("connect", () => resolve(true)).on("error", () => resolve(false));
    });
    probe.destroy();
    if (listening) return;
    await sleep(20);
  }
  throw new Error(`pgbouncer ended with code ${child.exitCode}`);
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  return typeof address === "object" && address ? address.port : 0;
}
