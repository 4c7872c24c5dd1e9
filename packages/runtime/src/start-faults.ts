/**
 * One kind of error of a connection at start, and whether waiting helps. Tables of these are read from the top: the first row that
 * matches decides.
 */
export interface StartFault {
  /** The `code` of the error, exactly or as a pattern, or a pattern for its message. */
  readonly code?: string | RegExp;
  readonly message?: RegExp;
  /** The failed system call, where the same code means two things: "connect". */
  readonly syscall?: string;
  /** What the operator has to do, as the end of a sentence. Absent: waiting helps. */
  readonly remedy?: string;
}

const unverifiable =
  "give Node.js the certificate of the authority that signed it, with NODE_EXTRA_CA_CERTS=/path/to/ca.pem";

/** Errors of TCP and TLS, for any protocol; to be placed after the rows of the protocol. */
export const networkFaults: readonly StartFault[] = [
  // The other side is not up yet, or the way to it is not. An unknown name too: that of a container, or of a service in a
  // cluster, appears together with it.
  {
    code: /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN)$/,
  },
  { code: /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA|EAI_NONAME|EAI_FAIL)$/ },
  // A Unix socket appears when the server starts.
  { code: "ENOENT", syscall: "connect" },
  // This machine is short of descriptors, memory or ports at the moment.
  { code: /^(EMFILE|ENFILE|ENOMEM|ENOBUFS|EADDRNOTAVAIL|EAGAIN)$/ },
  { code: /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/, remedy: unverifiable },
  { code: /^UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)/, remedy: unverifiable },
  {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
    remedy: "connect with a name in the certificate of the server",
  },
  { code: "CERT_HAS_EXPIRED", remedy: "renew the server's certificate" },
  { code: "CERT_NOT_YET_VALID", remedy: "set the clock of this machine, or renew the certificate" },
  {
    // OpenSSL reads the other side's plain text as a record of an unknown version.
    code: /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/,
    remedy:
      "the server does not speak TLS on this port: use the port that does, or connect without TLS",
  },
  {
    code: /^(CERT_|ERR_SSL_|ERR_TLS_|ERR_OSSL_|EPROTO$)/,
    remedy: "the TLS settings of server and client do not fit each other",
  },
  { code: "ENOENT", remedy: "name a file that exists" },
  { code: /^(EACCES|EPERM)$/, remedy: "allow the user that SmartCart runs as to use it" },
  {
    code: "ERR_INVALID_URL",
    remedy: "correct the URL; special characters in it are written as %XX",
  },
  { message: /URI malformed/, remedy: 'correct the URL; a "%" in it is written as %25' },
];

/**
 * What the operator has to do about an error; undefined where waiting helps. An error without a matching row ends the start with its
 * message, instead of being retried for ever.
 *
 * Causes are looked at too. Of several attempts at once (IPv4 and IPv6), waiting for one is enough.
 */
export function remedyFor(error: unknown, faults: readonly StartFault[]): string | undefined {
  const decided = decide(error, faults, 0);
  return decided === undefined ? "correct it and start again" : decided.remedy;
}

function decide(
  error: unknown,
  faults: readonly StartFault[],
  depth: number,
): StartFault | undefined {
  // bounded: a cause may point back to its error
  if (!(error instanceof Error) || depth > 10) return undefined;
  if (error instanceof AggregateError && error.errors.length > 0) {
    const each = error.errors.map((one) => decide(one, faults, depth + 1));
    return each.find((fault) => fault && fault.remedy === undefined) ?? each[0];
  }
  return faults.find((fault) => fits(fault, error)) ?? decide(error.cause, faults, depth + 1);
}

function fits(fault: StartFault, error: Error): boolean {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (fault.code !== undefined && !matches(fault.code, code)) return false;
  if (fault.syscall !== undefined && fault.syscall !== syscall) return false;
  return fault.message?.test(error.message) ?? true;
}

function matches(wanted: string | RegExp, found: unknown): boolean {
  if (typeof found !== "string") return false;
  return typeof wanted === "string" ? wanted === found : wanted.test(found);
}
