/** The certificates of a process, from the files that its settings name. They are read again while it runs. */
import type { Logger } from "@smartcart/runtime";
import { StartError, startTimer } from "@smartcart/runtime";
import type { KeyPair, NamedFile } from "./key-pair.ts";
import { readAuthorities, readKeyPair } from "./key-pair.ts";
import { servicesIn } from "./service-certificate.ts";

/** The settings of `commonConfig` that this is about: paths of PEM files. */
export interface TlsConfig {
  readonly TLS_CERT: string | undefined;
  readonly TLS_KEY: string | undefined;
  readonly MESH_TLS_CA: string | undefined;
  readonly MESH_TLS_CERT: string | undefined;
  readonly MESH_TLS_KEY: string | undefined;
}

/** What the files hold now. */
export interface TlsMaterial {
  /** For the public. */
  readonly port: KeyPair | undefined;
  /** Between services. */
  readonly mesh: MeshMaterial | undefined;
}

/** How services authenticate to one another. */
export interface MeshMaterial {
  /** PEM: the authorities that issue the certificates of services. */
  readonly authorities: Buffer;
  /** The certificate of this service; undefined: this process is none. */
  readonly own: KeyPair | undefined;
}

/** The certificates of a process. Disposing ends the reading. */
export interface TlsFiles extends AsyncDisposable {
  current(): TlsMaterial;
  /** Calls `listener` after the files have changed; returns the function that ends it. */
  onRenewed(listener: () => void): () => void;
}

/** Whose files they are, and how they are followed. */
export interface TlsFilesOptions {
  readonly config: TlsConfig;
  /** It stands for `{service}` in the paths, and its certificate must be for it. Undefined: the process is no service. */
  readonly service: string | undefined;
  readonly log: Logger;
  /** Pause between two looks at the files, in milliseconds. Default 5,000. */
  readonly intervalMs?: number;
}

/** Whether the ports of services speak TLS. */
export function hasTls({ TLS_CERT, MESH_TLS_CERT }: Partial<TlsConfig>): boolean {
  return (TLS_CERT ?? MESH_TLS_CERT) !== undefined;
}

/** Reads the files once. @throws StartError as `openTlsFiles`, before anything else is waited for. */
export function checkTlsFiles(config: TlsConfig, service: string | undefined): void {
  read(filesIn(config, service), service);
}

/**
 * Reads the files, and again every few seconds: to renew a certificate, replace its files. Invalid files are logged and the old
 * certificates stay in use. Undefined where no file is set.
 * @throws StartError where a file is missing or cannot be used: one line that names the variable.
 */
export function openTlsFiles(o: TlsFilesOptions): TlsFiles | undefined {
  const { log, service } = o;
  const files = filesIn(o.config, service);
  if (files.port === undefined && files.mesh === undefined) return undefined;
  let material = read(files, service);
  let problem = "";
  const listeners = new Set<() => void>();

  const timer = startTimer({
    name: "tls.files",
    intervalMs: o.intervalMs ?? 5_000,
    log,
    async run() {
      try {
        const found = read(files, service);
        if (isSame(found, material)) return;
        material = found;
        log.info("tls.renewed", { message: "the certificates have changed and are in use" });
        for (const listener of listeners) listener();
      } catch (error) {
        const { message } = error as StartError;
        // A certificate and its key are replaced one after the other: only an error that is found twice is logged.
        if (message === problem) log.error("tls.not_renewed", { message });
        problem = message;
      }
    },
  });
  return {
    current: () => material,
    onRenewed(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [Symbol.asyncDispose]: () => timer[Symbol.asyncDispose](),
  };
}

interface Files {
  readonly port: { readonly cert: NamedFile; readonly key: NamedFile } | undefined;
  readonly mesh:
    | {
        readonly authorities: NamedFile;
        readonly own: { readonly cert: NamedFile; readonly key: NamedFile } | undefined;
      }
    | undefined;
}

function filesIn(config: TlsConfig, service: string | undefined): Files {
  const [authorities] = together(config, ["MESH_TLS_CA", "MESH_TLS_CERT", "MESH_TLS_KEY"], service);
  const [cert, key] = together(config, ["TLS_CERT", "TLS_KEY"], service);
  const own = ["MESH_TLS_CERT", "MESH_TLS_KEY"] as const;
  const [ownCert, ownKey] = service === undefined ? [] : together(config, own, service);
  return {
    port: cert && key && { cert, key },
    mesh: authorities && { authorities, own: ownCert && ownKey && { cert: ownCert, key: ownKey } },
  };
}

/** All of them, or none. */
function together(
  config: TlsConfig,
  variables: readonly (keyof TlsConfig)[],
  service: string | undefined,
): NamedFile[] {
  const missing = variables.filter((variable) => config[variable] === undefined);
  if (missing.length === variables.length) return [];
  const [variable] = missing;
  if (variable !== undefined) {
    const set = variables.filter((one) => !missing.includes(one)).join(" and ");
    throw new StartError(`${variable} is not set, but ${set}: set all of ${variables.join(", ")}`, {
      variable,
    });
  }
  return variables.map((one) => ({
    variable: one,
    path: (config[one] ?? "").replaceAll("{service}", service ?? ""),
  }));
}

function read({ port, mesh }: Files, service: string | undefined): TlsMaterial {
  const nowMs = Date.now();
  return {
    port: port && readKeyPair(port.cert, port.key, nowMs),
    mesh: mesh && {
      authorities: readAuthorities(mesh.authorities, nowMs),
      own: mesh.own && readOwn(mesh.own.cert, mesh.own.key, { service, nowMs }),
    },
  };
}

function readOwn(
  cert: NamedFile,
  key: NamedFile,
  { service = "", nowMs }: { service: string | undefined; nowMs: number },
): KeyPair {
  const pair = readKeyPair(cert, key, nowMs);
  const services = servicesIn(pair.leaf);
  if (services.includes(service)) return pair;
  const names = services.length === 0 ? "for no service" : `for ${services.join(" and ")}`;
  throw new StartError(
    `${cert.variable}: ${cert.path} is ${names}, but this is ${service}; use {service} in the path for the name of the service`,
    { variable: cert.variable },
  );
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  const bytes = ({ port, mesh }: TlsMaterial) => [
    port?.cert,
    port?.key,
    mesh?.authorities,
    mesh?.own?.cert,
    mesh?.own?.key,
  ];
  const others = bytes(other);
  return bytes(one).every((buffer, i) => buffer?.equals(others[i] ?? Buffer.alloc(0)) ?? true);
}
