/** The services that a certificate is valid for. */
import type { X509Certificate } from "node:crypto";

/** Names below it are those of services: reserved for private use, so that no public authority issues certificates for it. */
const domain = "smartcart.internal";

/** The DNS name of a service in certificates: "order.smartcart.internal". It is never resolved. */
export function certificateName(service: string): string {
  return `${service}.${domain}`;
}

/** Whether a name in a TLS handshake asks for a service rather than for a public name. */
export function isCertificateName(name: string): boolean {
  return name.endsWith(`.${domain}`);
}

const entry = new RegExp(`^DNS:([a-z0-9]+(?:-[a-z0-9]+)*)\\.${domain.replace(".", "\\.")}$`);

/**
 * The services that a certificate is for, by its subject alternative names; most have one. Wildcards do not count. Node quotes a name
 * with special characters, which may contain what looks like another name: a certificate with such a name is for no service.
 */
export function servicesIn({ subjectAltName = "" }: X509Certificate): string[] {
  if (subjectAltName.includes('"')) return [];
  return subjectAltName.split(", ").flatMap((text) => entry.exec(text)?.[1] ?? []);
}
