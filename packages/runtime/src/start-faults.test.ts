import { describe, expect, test } from "vitest";
import { silentLogger } from "./logger.ts";
import { retryUntilReady, StartError } from "./retry.ts";
import { networkFaults, remedyFor } from "./start-faults.ts";

const failed = (code: string, more: object = {}) =>
  Object.assign(new Error(`failed by ${code}`), { code, ...more });

describe("waiting mends", () => {
  test.each<[string, object?]>([
    ["ECONNREFUSED"],
    ["ECONNRESET"],
    ["ETIMEDOUT"],
    ["EHOSTUNREACH"],
    ["ENETUNREACH"],
    // the name of a container or a service appears together with it
    ["ENOTFOUND"],
    ["EAI_AGAIN"],
    ["EMFILE"],
    ["EADDRNOTAVAIL"],
    ["ENOENT", { syscall: "connect" }],
  ])("%s %o", (code, more = {}) => {
    const error = failed(code, more);
    expect(remedyFor(error, networkFaults)).toBeUndefined();
    expect(remedyFor(new Error("outer", { cause: error }), networkFaults)).toBeUndefined();
    expect(remedyFor(new AggregateError([failed("ENOENT"), error]), networkFaults)).toBeUndefined();
  });
});

describe("waiting does not mend", () => {
  test.each([
    ["SELF_SIGNED_CERT_IN_CHAIN", /NODE_EXTRA_CA_CERTS/],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /NODE_EXTRA_CA_CERTS/],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /NODE_EXTRA_CA_CERTS/],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /NODE_EXTRA_CA_CERTS/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /name in the certificate of/],
    ["CERT_HAS_EXPIRED", /renew/],
    ["CERT_NOT_YET_VALID", /clock/],
    ["CERT_REVOKED", /TLS settings/],
    ["ERR_SSL_WRONG_VERSION_NUMBER", /does not speak TLS/],
    ["EPROTO", /TLS settings/],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", /TLS settings/],
    ["ENOENT", /file that exists/],
    ["EACCES", /allow the user/],
    ["ERR_INVALID_URL", /correct the URL/],
    ["SOMETHING_NEW", /start again/],
  ])("%s", (code, remedy) => {
    expect(remedyFor(failed(code), networkFaults)).toMatch(remedy);
    expect(remedyFor(new Error("outer", { cause: failed(code) }), networkFaults)).toMatch(remedy);
  });

  test("a stray % in a URL, and what is no error at all", () => {
    expect(remedyFor(new URIError("URI malformed"), networkFaults)).toMatch(/%25/);
    expect(remedyFor("text", networkFaults)).toMatch(/start again/);
  });
});

test("retryUntilReady ends with one line that says what to do", async () => {
  const opening = retryUntilReady({
    what: "PostgreSQL at db:5432",
    variable: "DATABASE_URL",
    log: silentLogger,
    faults: networkFaults,
    attempt: () => Promise.reject(failed("CERT_HAS_EXPIRED")),
  });
  const error = await opening.catch((e) => e);
  expect(error).toBeInstanceOf(StartError);
  expect(error.message).toBe(
    "DATABASE_URL: PostgreSQL at db:5432: failed by CERT_HAS_EXPIRED: renew the server's certificate",
  );
});
