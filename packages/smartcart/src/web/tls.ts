/** The certificates of the page. */
import type { TlsConfig, TlsFiles } from "@smartcart/identity";
import { openTlsFiles } from "@smartcart/identity";
import type { Logger } from "@smartcart/runtime";

/** What the page's server is given. */
export interface WebTls {
  readonly tls: TlsFiles | undefined;
  readonly partsTls: TlsFiles | undefined;
}

/**
 * The page is no service: it has the certificate for the public on its port, knows services by the authorities of services, and shows no
 * certificate to them, since what it passes on is its visitors'.
 *
 * @throws StartError where a file cannot be used.
 */
export function openWebTls(config: TlsConfig, log: Logger, stack: AsyncDisposableStack): WebTls {
  const open = (config: TlsConfig) => {
    const files = openTlsFiles({ config, service: undefined, log });
    return files && stack.use(files);
  };
  const { TLS_CERT, TLS_KEY } = config;
  const none = { MESH_TLS_CA: undefined, MESH_TLS_CERT: undefined, MESH_TLS_KEY: undefined };
  return { tls: open({ TLS_CERT, TLS_KEY, ...none }), partsTls: open(config) };
}
