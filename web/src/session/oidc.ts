/** Signing in at an OpenID provider: authorisation code with PKCE, as a public client. Loaded only where it is needed. */
import type { AuthorizationServer, Client } from "oauth4webapi";
import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  discoveryRequest,
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
  getValidatedIdTokenClaims,
  None,
  processAuthorizationCodeResponse,
  processDiscoveryResponse,
  validateAuthResponse,
} from "oauth4webapi";
import type { HeldToken } from "./held-token.ts";
import { holdToken } from "./held-token.ts";
import type { OidcSettings } from "./sign-in.ts";

/** What has to be known again when the provider sends the customer back: of this tab, and of one attempt. */
interface PendingSignIn {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Path and query of the page that asked for the sign-in. */
  readonly returnTo: string;
}

const pendingKey = "smartcart.sign-in";
const callbackPath = "/auth/callback";

/** Leaves for the provider's login page. Rejects where the provider does not answer. */
export async function beginSignIn(settings: OidcSettings): Promise<void> {
  const server = await discover(settings);
  const here = location.pathname + location.search;
  const pending: PendingSignIn = {
    state: generateRandomState(),
    nonce: generateRandomNonce(),
    codeVerifier: generateRandomCodeVerifier(),
    returnTo: location.pathname === callbackPath ? "/" : here,
  };
  const url = new URL(required(server.authorization_endpoint));
  const parameters = {
    response_type: "code",
    client_id: settings.clientId,
    redirect_uri: redirectUri(),
    scope: settings.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: "S256",
    ...resourceOf(settings),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  sessionStorage.setItem(pendingKey, JSON.stringify(pending));
  location.assign(url);
}

/**
 * Trades the code in the callback's URL for tokens. Rejects where the answer is not to a request of this tab, or the
 * provider refuses. Only once: the attempt is spent.
 */
export async function completeSignIn(
  settings: OidcSettings,
): Promise<{ readonly held: HeldToken; readonly returnTo: string }> {
  const pending = JSON.parse(sessionStorage.getItem(pendingKey) ?? "null") as PendingSignIn | null;
  sessionStorage.removeItem(pendingKey);
  if (!pending) throw new Error("No sign-in was started in this tab.");
  const server = await discover(settings);
  const client: Client = { client_id: settings.clientId };
  const code = validateAuthResponse(server, client, new URL(location.href), pending.state);
  const response = await authorizationCodeGrantRequest(
    server,
    client,
    None(),
    code,
    redirectUri(),
    pending.codeVerifier,
    { additionalParameters: resourceOf(settings), ...insecureOnLoopback(settings) },
  );
  const tokens = await processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: pending.nonce,
    requireIdToken: true,
  });
  const claims = getValidatedIdTokenClaims(tokens);
  const name = [claims?.name, claims?.preferred_username, claims?.email].find(
    (claim) => typeof claim === "string",
  ) as string | undefined;
  const { access_token: token, id_token: idToken } = tokens;
  const held = holdToken(token, Date.now(), { ...(name && { name }), ...(idToken && { idToken }) });
  if (!held) throw new Error("The provider's access token is not a JSON Web Token for this shop.");
  return { held, returnTo: pending.returnTo };
}

/** Ends the session at the provider as well, where it offers that. Rejects where the provider does not answer. */
export async function endSession(
  settings: OidcSettings,
  idToken: string | undefined,
): Promise<void> {
  const endpoint = (await discover(settings)).end_session_endpoint;
  if (!endpoint) return;
  const url = new URL(endpoint);
  url.searchParams.set("client_id", settings.clientId);
  url.searchParams.set("post_logout_redirect_uri", `${location.origin}/`);
  if (idToken) url.searchParams.set("id_token_hint", idToken);
  location.assign(url);
}

async function discover(settings: OidcSettings): Promise<AuthorizationServer> {
  const issuer = new URL(settings.issuer);
  const response = await discoveryRequest(issuer, insecureOnLoopback(settings));
  return processDiscoveryResponse(issuer, response);
}

/** The library refuses plain HTTP; on this machine there is no network to listen in on. */
function insecureOnLoopback({ issuer }: OidcSettings): { [allowInsecureRequests]?: boolean } {
  const isLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(new URL(issuer).hostname);
  return isLoopback ? { [allowInsecureRequests]: true } : {};
}

/** RFC 8707: asks for a token for the shop. A resource is a URI; an audience of another form is the provider's to know. */
function resourceOf({ audience }: OidcSettings): { readonly resource?: string } {
  return URL.canParse(audience) ? { resource: audience } : {};
}

function redirectUri(): string {
  return location.origin + callbackPath;
}

function required(endpoint: string | undefined): string {
  if (!endpoint) throw new Error("The provider names no authorization endpoint.");
  return endpoint;
}
