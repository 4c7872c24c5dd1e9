/** How a client authenticates a service and itself by TLS. */
import type { X509Certificate } from "node:crypto";
import type { ConnectionOptions, PeerCertificate, SecureContext } from "node:tls";
import { checkServerIdentity, createSecureContext, getCACertificates } from "node:tls";
import { certificateName } from "./service-certificate.ts";
import type { TlsMaterial } from "./tls-files.ts";

/** The part of the options of TLS that this is about. */
export type PeerTlsOptions = Pick<
  ConnectionOptions,
  "secureContext" | "servername" | "checkServerIdentity"
>;

const contexts = new WeakMap<TlsMaterial, SecureContext>();

/**
 * With certificates of services, the server must have one for `service`, whatever its address, and the client sends its own if it has
 * one. Otherwise with a certificate for the public: the server must have the same one, as services with the same settings do, or one
 * for its host name.
 */
export function peerTlsOptions(material: TlsMaterial, service: string): PeerTlsOptions {
  const { port, mesh } = material;
  let secureContext = contexts.get(material);
  if (secureContext === undefined) {
    secureContext = createContext(material);
    contexts.set(material, secureContext);
  }
  if (mesh !== undefined) return { secureContext, servername: certificateName(service) };
  return {
    secureContext,
    checkServerIdentity: (host, certificate) =>
      port && isSame(certificate, port.leaf) ? undefined : checkServerIdentity(host, certificate),
  };
}

function createContext({ port, mesh }: TlsMaterial): SecureContext {
  if (mesh !== undefined) {
    const { authorities: ca, own } = mesh;
    return createSecureContext({ ca, ...(own && { cert: own.cert, key: own.key }) });
  }
  const ca = [...getCACertificates(), ...(port ? [port.cert.toString("latin1")] : [])];
  // The port's certificate need not be signed by an authority that the system knows.
  return createSecureContext({ ca, allowPartialTrustChain: true });
}

function isSame({ raw }: PeerCertificate, leaf: X509Certificate): boolean {
  return leaf.raw.equals(raw);
}
