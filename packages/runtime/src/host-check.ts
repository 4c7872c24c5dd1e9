import { isLoopback } from "./loopback.ts";

/** What decides which names a server answers to. */
interface HostCheckOptions {
  /** The address that the server listens on. */
  readonly listenHost: string;
  /** Names that are answered to as well, without port: `ALLOWED_HOSTS`. */
  readonly allowedHosts: readonly string[] | undefined;
}

/**
 * Whether a request's `Host` (or `:authority`) names this server. It keeps DNS rebinding out: a page of another site whose
 * name points at this machine would otherwise be let in by a browser on it.
 *
 * On loopback: `localhost`, `*.localhost`, loopback addresses, and the allowed names. Elsewhere: any name, unless some are
 * allowed; then those and the ones of loopback. A request without a host (HTTP/1.0) comes from no browser and passes.
 */
export function createHostCheck(o: HostCheckOptions): (host: string | undefined) => boolean {
  const allowed = new Set((o.allowedHosts ?? []).map((name) => name.toLowerCase()));
  const isOpen = allowed.size === 0 && !isLoopback(o.listenHost);
  return (host) => {
    if (host === undefined || host === "") return true;
    const name = hostName(host);
    if (name === undefined) return false;
    return isOpen || isLocalName(name) || allowed.has(name);
  };
}

/** Whether a host name can only mean this machine: `localhost`, a name below it, or a loopback address. */
export function isLocalName(name: string): boolean {
  return isLoopback(name) || name.endsWith(".localhost");
}

/** The name in a `Host` header, in lower case, without port and brackets; undefined where it is malformed. */
export function hostName(host: string): string | undefined {
  if (/[\s/?#@\\]/.test(host)) return undefined;
  const name = URL.parse(`http://${host}`)?.hostname;
  return name === "" ? undefined : name?.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}
