/** Which origins the page's scripts may call to sign visitors in: the content security policy lets them call no others. */
import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";

interface ConnectSources extends AsyncDisposable {
  /** Origins for `connect-src`, separated by spaces; undefined without an OpenID provider. */
  get(): string | undefined;
}

/** Pause before the provider is asked again that did not answer, in milliseconds. */
const retryMs = 1_000;
/** How often it is asked whether its endpoints have moved, in milliseconds. */
const refreshMs = 3_600_000;
const timeoutMs = 5_000;

/**
 * Knows the issuer's own origin at once, and that of the token endpoint as soon as the provider's metadata (OpenID Connect Discovery
 * 1.0, section 4) has told it: Google's, for one, is at another host than the issuer. Asks again while the provider does not answer,
 * so that it may start after the page.
 */
export function startConnectSources(issuer: string | undefined, log: Logger): ConnectSources {
  if (issuer === undefined) return { get: () => undefined, async [Symbol.asyncDispose]() {} };
  const own = new URL(issuer).origin;
  let origins = own;
  const timer = startTimer({
    name: "web.connect-sources",
    intervalMs: retryMs,
    longestMs: refreshMs,
    log,
    async run(signal) {
      const endpoint = await readTokenEndpoint(issuer, signal);
      origins = [...new Set([own, endpoint.origin])].join(" ");
      return refreshMs;
    },
  });
  timer.poke();
  return { get: () => origins, [Symbol.asyncDispose]: () => timer[Symbol.asyncDispose]() };
}

async function readTokenEndpoint(issuer: string, signal: AbortSignal): Promise<URL> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await fetch(url, {
    headers: { accept: "application/json" },
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const metadata = (await response.json()) as { readonly token_endpoint?: unknown } | null;
  const endpoint = URL.parse(String(metadata?.token_endpoint));
  if (endpoint === null || !/^https?:$/.test(endpoint.protocol)) {
    throw new Error(`${url} names no token_endpoint`);
  }
  return endpoint;
}
