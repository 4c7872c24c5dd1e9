/** Issues certificates for services: an authority for development, or for a shop whose machines all belong to one owner. */
import "reflect-metadata";
import { createPrivateKey, randomBytes, subtle } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GeneralName } from "@peculiar/x509";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { StartError } from "@smartcart/runtime";
import { certificateName } from "./service-certificate.ts";

/** What is issued. */
interface DevelopmentCertificatesOptions {
  /** The folder that the files are written to. It is made where there is none, for this user only. */
  readonly folder: string;
  /** The services that get a certificate each, and the further services that it is valid for: `{ ops: ["reconciler"] }`. */
  readonly services: Readonly<Record<string, readonly string[]>>;
  /** Names and addresses in the certificate for public ports. Default: those of this machine. */
  readonly hosts?: readonly string[];
  /** How long the certificates are good, in days. Default 90. */
  readonly days?: number;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const authorityDays = 3_650;
const dayMs = 86_400_000;
/** Clocks of other machines may be behind. */
const backdatedMs = 3_600_000;
const localHosts = ["localhost", "127.0.0.1", "::1"];

/** As the library has it: the types of the web platform, where a program has those. */
type Keys = Parameters<typeof X509CertificateGenerator.createSelfSigned>[0]["keys"];

interface Authority {
  readonly certificate: X509Certificate;
  readonly key: Keys["privateKey"];
}

/**
 * Writes `ca.crt` and `ca.key`, a pair for each service (`order.crt`, `order.key`), and `server.crt` and `server.key` for public
 * ports. An existing authority is kept and all certificates are issued anew: running it again renews them. Each file is replaced
 * atomically.
 * @returns the names of the files.
 */
export async function issueDevelopmentCertificates(
  o: DevelopmentCertificatesOptions,
): Promise<string[]> {
  const { folder, services, hosts = localHosts, days = 90 } = o;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = (await readAuthority(folder)) ?? (await createAuthority(folder));
  const holders = [
    ...Object.entries(services).map(([name, others]) => ({
      name,
      names: [name, ...others].map((one): GeneralNameOf => ["dns", certificateName(one)]),
    })),
    { name: "server", names: hosts.map(nameOf) },
  ];
  for (const { name, names } of holders) {
    await issue(authority, { folder, name, names, days });
  }
  return ["ca", ...holders.map(({ name }) => name)].flatMap((name) => [
    `${name}.crt`,
    `${name}.key`,
  ]);
}

type GeneralNameOf = readonly [type: "dns" | "ip", value: string];

function nameOf(host: string): GeneralNameOf {
  return /^[\d.]+$|:/.test(host) ? ["ip", host] : ["dns", host];
}

async function createAuthority(folder: string): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...validity(authorityDays),
    name: "CN=SmartCart development CA",
    serialNumber: serialNumber(),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writePair(folder, "ca", { certificate, key: keys.privateKey });
  return { certificate, key: keys.privateKey };
}

/** Undefined where there is none. */
async function readAuthority(folder: string): Promise<Authority | undefined> {
  const [certPem, keyPem] = await Promise.all(
    ["ca.crt", "ca.key"].map((name) => readFile(join(folder, name), "utf8").catch(() => undefined)),
  );
  if (certPem === undefined || keyPem === undefined) return undefined;
  try {
    const certificate = new X509Certificate(certPem);
    const der = createPrivateKey(keyPem).export({ type: "pkcs8", format: "der" });
    const key = await subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
    return { certificate, key: key as unknown as Keys["privateKey"] };
  } catch (cause) {
    throw new StartError(
      `${join(folder, "ca.crt")} and ca.key cannot be read; remove them to have a new authority made, whose certificates replace all others`,
      { cause },
    );
  }
}

async function issue(
  authority: Authority,
  o: { folder: string; name: string; names: readonly GeneralNameOf[]; days: number },
): Promise<void> {
  const keys = await generateKeys();
  const names = o.names.map(([type, value]) => ({ type, value }) as unknown as GeneralName);
  const certificate = await X509CertificateGenerator.create({
    ...validity(o.days),
    subject: `CN=${o.names[0]?.[1]}`,
    issuer: authority.certificate.subject,
    serialNumber: serialNumber(),
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      // A service is both: it serves its own port and calls others.
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(names as never),
      await AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  await writePair(o.folder, o.name, { certificate, key: keys.privateKey });
}

async function generateKeys(): Promise<Keys> {
  return (await subtle.generateKey(algorithm, true, ["sign", "verify"])) as unknown as Keys;
}

function validity(days: number) {
  const nowMs = Date.now();
  return {
    notBefore: new Date(nowMs - backdatedMs),
    notAfter: new Date(nowMs + days * dayMs),
  };
}

/** Positive, as RFC 5280, 4.1.2.2 asks for. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

/** The key first: a reader that finds the new certificate finds its key. */
async function writePair(
  folder: string,
  name: string,
  { certificate, key }: Authority,
): Promise<void> {
  const der = Buffer.from(await subtle.exportKey("pkcs8", key));
  const pem = createPrivateKey({ key: der, type: "pkcs8", format: "der" }).export({
    type: "pkcs8",
    format: "pem",
  });
  await replace(join(folder, `${name}.key`), String(pem), 0o600);
  await replace(join(folder, `${name}.crt`), `${certificate.toString("pem")}\n`, 0o644);
}

async function replace(file: string, text: string, mode: number): Promise<void> {
  const next = `${file}.${process.pid}.new`;
  await writeFile(next, text, { mode });
  await rename(next, file);
}
