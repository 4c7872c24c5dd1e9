/** Reads from the settings how principals authenticate, and which ones are trusted without authentication. */
import { isLoopback, StartError } from "@smartcart/runtime";
import type { Authenticator } from "./authenticator.ts";
import { createAuthenticator } from "./authenticator.ts";
import type { TokenVerifier } from "./token-verifier.ts";
import { createTokenVerifier } from "./token-verifier.ts";

/** The settings of `commonConfig` that this is about. */
export interface AccessConfig {
  readonly HOST: string;
  readonly MESH_SECRET: string | undefined;
  readonly MESH_TLS_CERT: string | undefined;
  readonly OPS_TOKEN: string | undefined;
  readonly SMARTCART_OPEN: string | undefined;
  readonly AUTH_ISSUER: string | undefined;
  readonly AUTH_AUDIENCE: string;
  readonly AUTH_JWKS_URL: string | undefined;
  readonly AUTH_SECRET: string | undefined;
  readonly AUTH_CLOCK_SKEW_SECONDS: number;
  readonly AUTH_OPTIONAL: boolean | undefined;
}

/** How a service authenticates its callers, and which ones it trusts without authentication. */
export interface Access {
  /** Undefined: no kind of authentication is configured. */
  readonly authenticate: Authenticator | undefined;
  readonly trust: {
    /** A caller may act as any customer that it names. */
    readonly customers: boolean;
    /** Every caller on this machine is an operator. */
    readonly operators: boolean;
  };
}

/**
 * @throws StartError where the settings contradict one another, or would open the shop to the network without authentication.
 */
export function accessFrom(config: AccessConfig): Access {
  const { HOST, OPS_TOKEN, AUTH_ISSUER, AUTH_OPTIONAL } = config;
  const verifyToken = verifierOf(config);
  const isOpen = AUTH_ISSUER === undefined || AUTH_OPTIONAL === true;
  assertOpenOnPurpose(config);
  assertServicesProve(config, isOpen);
  const hasTokens = verifyToken !== undefined || OPS_TOKEN !== undefined;
  return {
    authenticate: hasTokens ? createAuthenticator({ verifyToken, opsToken: OPS_TOKEN }) : undefined,
    trust: {
      customers: isOpen,
      operators: isOpen && OPS_TOKEN === undefined && isLoopback(HOST),
    },
  };
}

function verifierOf(config: AccessConfig): TokenVerifier | undefined {
  const { AUTH_ISSUER, AUTH_JWKS_URL, AUTH_SECRET } = config;
  if (AUTH_ISSUER === undefined) {
    if (AUTH_JWKS_URL === undefined && AUTH_SECRET === undefined) return undefined;
    const variable = AUTH_JWKS_URL === undefined ? "AUTH_SECRET" : "AUTH_JWKS_URL";
    throw new StartError(
      `${variable} is set, but AUTH_ISSUER is not; set it to the "iss" of the tokens`,
      {
        variable: "AUTH_ISSUER",
      },
    );
  }
  if ((AUTH_JWKS_URL === undefined) === (AUTH_SECRET === undefined)) {
    throw new StartError(
      "AUTH_ISSUER is set; set either AUTH_JWKS_URL, where the issuer publishes its keys, or AUTH_SECRET for development, and not both",
      { variable: "AUTH_JWKS_URL" },
    );
  }
  return createTokenVerifier({
    issuer: AUTH_ISSUER,
    audience: config.AUTH_AUDIENCE,
    jwksUrl: AUTH_JWKS_URL,
    secret: AUTH_SECRET,
    clockSkewSeconds: config.AUTH_CLOCK_SKEW_SECONDS,
  });
}

/** Where people must authenticate, or a service listens on the network, services must be able to authenticate too. */
function assertServicesProve(config: AccessConfig, isOpen: boolean): void {
  const { HOST, MESH_SECRET, MESH_TLS_CERT, OPS_TOKEN } = config;
  if ((MESH_SECRET ?? MESH_TLS_CERT) !== undefined) return;
  const cause = !isOpen
    ? "AUTH_ISSUER is set"
    : OPS_TOKEN !== undefined
      ? "OPS_TOKEN is set"
      : isLoopback(HOST)
        ? undefined
        : `HOST=${HOST} is not loopback`;
  if (cause === undefined) return;
  throw new StartError(
    `${cause}, but MESH_SECRET is not set, so that services cannot authenticate; set MESH_SECRET (openssl rand -hex 16), the same for all services, or certificates by MESH_TLS_CERT (docs/operations.md, Security)`,
    { variable: "MESH_SECRET" },
  );
}

/** The settings that decide whether a service may listen on the network. */
type Openness = Pick<AccessConfig, "HOST" | "SMARTCART_OPEN" | "AUTH_ISSUER" | "AUTH_OPTIONAL">;

/** @throws StartError where a service would listen on the network without authentication, unless SMARTCART_OPEN allows it. */
export function assertOpenOnPurpose(config: Openness): void {
  const { HOST, SMARTCART_OPEN, AUTH_ISSUER, AUTH_OPTIONAL } = config;
  const isClosed = AUTH_ISSUER !== undefined && AUTH_OPTIONAL !== true;
  if (isClosed || SMARTCART_OPEN !== undefined || isLoopback(HOST)) return;
  const how =
    AUTH_OPTIONAL === true
      ? "unset AUTH_OPTIONAL"
      : "set AUTH_ISSUER and AUTH_JWKS_URL (docs/operations.md, Security)";
  throw new StartError(
    `HOST=${HOST} would open the shop to the network without authentication; ${how}, or HOST=127.0.0.1, or allow it with SMARTCART_OPEN=yes-i-know`,
    { variable: "HOST" },
  );
}
