import { isLoopback } from "./loopback.ts";

/** The names that a server accepts. */
interface HostCheckOptions {
  /** The address that the server listens on. */
  readonly listenHost: string;
  /** Further accepted names, without port: `ALLOWED_HOSTS`. */
  readonly allowedHosts: readonly string[] | undefined;
}

/**
 * Whether a request's `Host` (or `:authority`) names this server. It prevents DNS rebinding: a page of a site whose name resolves
 * to this machine could otherwise read from it with a browser on this machine.
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
