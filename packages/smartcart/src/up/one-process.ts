/** What one process decides for itself, so that it runs without a setting and is closed where one asks for it. */
import { randomBytes } from "node:crypto";
import { createDevelopmentIssuer } from "@smartcart/identity";
import { isLoopback } from "@smartcart/runtime";
import type { SmartCartConfig } from "../config.ts";
import type { SignInOptions } from "../web/sign-in.ts";
import { signInFrom } from "../web/sign-in.ts";

const developmentIssuer = "urn:smartcart:development";

/** The settings with what is decided here, and how visitors of the page sign in. */
export interface OneProcess {
  readonly config: SmartCartConfig;
  readonly signIn: SignInOptions;
}

/**
 * On loopback: demo mode, and a development issuer whose tokens are optional; AUTH_OPTIONAL=false makes them required. Wherever services
 * have to prove who they are: a secret for them.
 */
export function decideForOneProcess(given: SmartCartConfig): OneProcess {
  const isLocal = isLoopback(given.HOST);
  const config = { ...given, SMARTCART_DEMO: given.SMARTCART_DEMO ?? isLocal };
  const hasIssuer =
    given.AUTH_ISSUER ?? given.AUTH_JWKS_URL ?? given.AUTH_SECRET ?? given.AUTH_CLIENT_ID;
  if (hasIssuer !== undefined || !isLocal) {
    return { config: withMeshSecret(config), signIn: { signIn: signInFrom(config) } };
  }
  const secret = randomBytes(32).toString("hex");
  const { AUTH_AUDIENCE: audience } = config;
  const development = {
    ...config,
    AUTH_ISSUER: developmentIssuer,
    AUTH_SECRET: secret,
    AUTH_OPTIONAL: config.AUTH_OPTIONAL ?? true,
  };
  return {
    config: withMeshSecret(development),
    signIn: {
      signIn: { method: "development", isOpen: false },
      issueToken: createDevelopmentIssuer({ issuer: developmentIssuer, audience, secret }),
    },
  };
}

/** The secret is used in this process only. */
function withMeshSecret(config: SmartCartConfig): SmartCartConfig {
  const { HOST, MESH_SECRET, OPS_TOKEN, AUTH_ISSUER, AUTH_OPTIONAL } = config;
  const isClosed = AUTH_ISSUER !== undefined && AUTH_OPTIONAL !== true;
  const isAsked = isClosed || OPS_TOKEN !== undefined || !isLoopback(HOST);
  if (MESH_SECRET !== undefined || !isAsked) return config;
  return { ...config, MESH_SECRET: randomBytes(32).toString("hex") };
}
