/** Reads certificates and keys from PEM files; each fault is one line that names the variable. */
import type { KeyObject } from "node:crypto";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { StartError } from "@smartcart/runtime";

/** A file that a variable names. */
export interface NamedFile {
  readonly variable: string;
  readonly path: string;
}

/** A certificate with its chain, and its key. */
export interface KeyPair {
  /** PEM: the certificate, then its intermediates. */
  readonly cert: Buffer;
  /** PEM. */
  readonly key: Buffer;
  /** The first certificate in `cert`. */
  readonly leaf: X509Certificate;
}

/** @throws StartError where a file cannot be read or is invalid, or the certificate is not valid at `nowMs`, Unix time in milliseconds. */
export function readKeyPair(cert: NamedFile, key: NamedFile, nowMs: number): KeyPair {
  const [certPem, keyPem] = [readBytes(cert), readBytes(key)];
  const [leaf] = certificatesIn(cert, certPem);
  assertInForce(cert, leaf, nowMs);
  if (!leaf.checkPrivateKey(privateKeyIn(key, keyPem))) {
    throw fault(
      key,
      `does not belong to the certificate in ${cert.variable} (${cert.path}); set both to files of one pair`,
    );
  }
  try {
    createSecureContext({ cert: certPem, key: keyPem });
  } catch (cause) {
    throw fault(cert, `cannot be used for TLS: ${(cause as Error).message}`, cause);
  }
  return { cert: certPem, key: keyPem, leaf };
}

/** The certificates of authorities: PEM. @throws StartError where the file cannot be read or all of them have expired. */
export function readAuthorities(file: NamedFile, nowMs: number): Buffer {
  const pem = readBytes(file);
  const [first, ...others] = certificatesIn(file, pem);
  // While an authority is replaced, the file has the old and the new one.
  if (!others.some((one) => isInForce(one, nowMs))) assertInForce(file, first, nowMs);
  return pem;
}

function readBytes(file: NamedFile): Buffer {
  try {
    return readFileSync(file.path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why: Readonly<Record<string, string>> = {
      ENOENT: "does not exist",
      EACCES: "may not be read by this user",
      EISDIR: "is a folder",
    };
    throw fault(file, `${why[code ?? ""] ?? "cannot be read"}; name a PEM file`, cause);
  }
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(file: NamedFile, pem: Buffer): [X509Certificate, ...X509Certificate[]] {
  try {
    const [first, ...others] = (pem.toString("latin1").match(pemBlock) ?? []).map(
      (text) => new X509Certificate(text),
    );
    if (first !== undefined) return [first, ...others];
  } catch (cause) {
    throw fault(file, "has a certificate that cannot be read; write it anew", cause);
  }
  throw fault(file, "has no certificate in PEM (-----BEGIN CERTIFICATE-----)");
}

function privateKeyIn(file: NamedFile, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw fault(file, "has no private key in PEM, or one with a passphrase; take it off", cause);
  }
}

function isInForce({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return nowMs >= validFromDate.getTime() && nowMs < validToDate.getTime();
}

function assertInForce(file: NamedFile, certificate: X509Certificate, nowMs: number): void {
  if (isInForce(certificate, nowMs)) return;
  const { validFromDate, validToDate } = certificate;
  throw fault(
    file,
    nowMs < validFromDate.getTime()
      ? `is a certificate that is valid only from ${validFromDate.toISOString()}; check the clock, or wait`
      : `is a certificate that expired at ${validToDate.toISOString()}; renew it`,
  );
}

function fault({ variable, path }: NamedFile, problem: string, cause?: unknown): StartError {
  return new StartError(`${variable}: ${path} ${problem}`, { variable, cause });
}
