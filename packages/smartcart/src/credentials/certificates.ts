/** `smartcart certs`: certificates for the services and for public ports, of an authority of one's own. */
import { resolve } from "node:path";
import { serviceNames } from "@smartcart/contract";
import { issueDevelopmentCertificates } from "@smartcart/identity/development-ca";

/** Further service names in a certificate: the operations service also repairs as the reconciler. */
const others: Readonly<Record<string, readonly string[]>> = { ops: ["reconciler"] };

/** What the command is given. */
export interface CertsOptions {
  readonly folder: string;
  /** Names and addresses for public ports. Empty: those of this machine. */
  readonly hosts: readonly string[];
  /** How long they are good, in days. Default 90. */
  readonly days: number | undefined;
}

/** Issues them, or renews those that are there. @returns what to do with them, for a person. */
export async function runCerts({ folder, hosts, days }: CertsOptions): Promise<string> {
  const path = resolve(folder);
  const services = Object.fromEntries(
    [...serviceNames].map((name) => [name, others[name] ?? []] as const),
  );
  const names = await issueDevelopmentCertificates({
    folder: path,
    services,
    ...(hosts.length > 0 && { hosts }),
    ...(days !== undefined && { days }),
  });
  return `${names.length} files in ${path}; run the command again to renew them, services take them over while they run.

For public ports:

  TLS_CERT=${path}/server.crt
  TLS_KEY=${path}/server.key

Between services, instead of MESH_SECRET:

  MESH_TLS_CA=${path}/ca.crt
  MESH_TLS_CERT=${path}/{service}.crt
  MESH_TLS_KEY=${path}/{service}.key

With ca.key a process can pose as any service: keep it off the machines that serve.
`;
}
