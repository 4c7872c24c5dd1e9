import { execFile } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { startEmbeddedPostgres } from "@smartcart/engines";
import { silentLogger } from "@smartcart/runtime";

const execute = promisify(execFile);

/** A PostgreSQL whose settings a test may change, with certificates of several kinds. */
export interface OwnServer extends AsyncDisposable {
  readonly url: string;
  /** Path of a certificate. */
  certificate(name: "ca" | "self" | "other"): string;
  query(text: string): Promise<void>;
  /** Serves TLS with that certificate and, after it, those of its chain. */
  useTls(name: "self" | "leaf" | "other", chain?: readonly "ca"[]): Promise<void>;
  /** Adds a line in front of `pg_hba.conf`. */
  addHostRule(line: string): Promise<void>;
}

export async function startOwnServer(): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), "smartcart-own-"));
  // the server may run as another user
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({
    stateDirectory: folder,
    log: silentLogger,
    durable: false,
  });
  const data = join(folder, "postgres", "data");
  const tls = join(folder, "tls");
  await makeCertificates(tls);
  const admin = new pg.Pool({ connectionString: server.url, max: 1 });
  admin.on("error", () => {});
  const reload = async () => {
    await admin.query("select pg_reload_conf()");
    // the server takes it up in its own time
    await admin.query("select pg_sleep(0.2)");
  };
  return {
    url: server.url,
    certificate: (name) => join(tls, `${name}.crt`),
    async query(text) {
      await admin.query(text);
    },
    async useTls(name, chain = []) {
      const { uid, gid } = await stat(data);
      const files = [name, ...chain].map((one) => readFile(join(tls, `${one}.crt`), "utf8"));
      const contents = {
        crt: (await Promise.all(files)).join(""),
        key: await readFile(join(tls, `${name}.key`), "utf8"),
      };
      for (const [kind, content] of Object.entries(contents)) {
        const path = join(data, `server.${kind}`);
        await writeFile(path, content, { mode: 0o600 });
        await chown(path, uid, gid);
      }
      await admin.query("alter system set ssl = on");
      await reload();
    },
    async addHostRule(line) {
      const path = join(data, "pg_hba.conf");
      await writeFile(path, `${line}\n${await readFile(path, "utf8")}`);
      await reload();
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `self` and `other` are signed by themselves, `leaf` by `ca`; `other` is for another name than 127.0.0.1. */
async function makeCertificates(folder: string): Promise<void> {
  await mkdir(folder);
  const openssl = (...args: string[]) => execute("openssl", args, { cwd: folder });
  const request = (name: string, ...more: string[]) =>
    openssl(
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30".split(" "),
      ...["-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.crt`, ...more],
    );
  await request("ca");
  await request("self", "-addext", "subjectAltName=IP:127.0.0.1");
  await request("other", "-addext", "subjectAltName=DNS:db.example");
  await request(
    "leaf",
    "-addext",
    "subjectAltName=IP:127.0.0.1",
    "-CA",
    "ca.crt",
    "-CAkey",
    "ca.key",
  );
}
