import { networkFaults, reasonOf, remedyFor } from "@smartcart/runtime";

/** Codes of Node and OpenSSL for a certificate that is not accepted, or a port that speaks no TLS. */
const aboutTls = /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO)/;
const maxCauses = 8;

/** Why the certificate of a service is not accepted, and what to do about it; undefined for any other error. */
export function certificateProblem(error: unknown): string | undefined {
  let cause = error;
  for (let depth = 0; depth < maxCauses && cause instanceof Error; depth += 1) {
    const { code } = cause as { code?: unknown };
    if (typeof code === "string" && aboutTls.test(code)) {
      return `its certificate is not accepted (${reasonOf(cause)}): ${remedyFor(cause, networkFaults)}`;
    }
    cause = cause.cause;
  }
  return undefined;
}
