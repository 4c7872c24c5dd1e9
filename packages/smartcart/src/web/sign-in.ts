/** How a visitor of the page signs in: what the page has to know of it, and the development issuer's tokens. */
import type { TokenRequest } from "@smartcart/identity";
import type { NodeRequest, NodeResponse } from "@smartcart/mesh";
import { isLoopback, StartError, setSecurityHeaders } from "@smartcart/runtime";
import { malformedSignIn, noSuchPath, sendProblem } from "./problems.ts";

/** How visitors of the page authenticate. */
export interface SignIn {
  /**
   * "none": no sign-in and no tokens. "development": by name, at this server. "oidc": at an OpenID provider, by
   * authorisation code and PKCE.
   */
  readonly method: "none" | "development" | "oidc";
  /** The page shows a warning: it is on the network and accepts requests without a token. */
  readonly isOpen: boolean;
  readonly oidc?: {
    readonly issuer: string;
    readonly clientId: string;
    readonly audience: string;
    /** What the page asks for, separated by spaces. */
    readonly scope: string;
  };
}

export interface SignInOptions {
  readonly signIn: SignIn;
  /** Signs tokens for `method: "development"`. */
  readonly issueToken?: ((request: TokenRequest) => Promise<string>) | undefined;
}

/**
 * How visitors sign in where the issuer is not the one of this process.
 *
 * @throws StartError where the page could not call the issuer.
 */
export function signInFrom(config: {
  readonly HOST: string;
  readonly AUTH_ISSUER: string | undefined;
  readonly AUTH_CLIENT_ID: string | undefined;
  readonly AUTH_AUDIENCE: string;
  readonly AUTH_SCOPE: string;
  readonly AUTH_OPTIONAL: boolean | undefined;
}): SignIn {
  const { HOST, AUTH_ISSUER: issuer, AUTH_CLIENT_ID: clientId, AUTH_OPTIONAL } = config;
  const isOpen = !isLoopback(HOST) && (issuer === undefined || AUTH_OPTIONAL === true);
  if (issuer === undefined || clientId === undefined) return { method: "none", isOpen };
  if (!/^https?:$/.test(URL.parse(issuer)?.protocol ?? "")) {
    throw new StartError(
      "AUTH_CLIENT_ID is set, so AUTH_ISSUER must be the URL of an OpenID provider",
      {
        variable: "AUTH_ISSUER",
      },
    );
  }
  const { AUTH_AUDIENCE: audience, AUTH_SCOPE: scope } = config;
  return { method: "oidc", isOpen, oidc: { issuer, clientId, audience, scope } };
}

const configPath = "/auth/config";
const tokenPath = "/auth/token";
const maxBodyBytes = 1_024;
/** What a `user_id` may be. */
const namePattern = /^[^\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]{1,64}$/u;

/** Whether a path is one of sign-in's. */
export function isSignInPath(path: string): boolean {
  return path === configPath || path === tokenPath;
}

/** Answers a request for a sign-in path. */
export async function answerSignIn(
  request: NodeRequest,
  response: NodeResponse,
  path: string,
  { signIn, issueToken }: SignInOptions,
): Promise<void> {
  if (path === configPath && request.method === "GET") return sendJson(response, signIn);
  if (path !== tokenPath || request.method !== "POST" || issueToken === undefined) {
    return sendProblem(response, noSuchPath);
  }
  const name = await readName(request);
  if (name === undefined) return sendProblem(response, malformedSignIn);
  sendJson(response, { token: await issueToken({ subject: name }), subject: name });
}

/** The name in `{"name": "Ada"}`; undefined where there is none, or something else was sent. */
async function readName(request: NodeRequest): Promise<string | undefined> {
  // Another site's page can send a form to this server, but no JSON without being asked first.
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) return undefined;
  let text = "";
  try {
    for await (const chunk of request.setEncoding("utf8")) {
      // The rest of what is too long is read and dropped: to break off here would cost the client its answer.
      if (text.length <= maxBodyBytes) text += chunk;
    }
    if (text.length > maxBodyBytes) return undefined;
    const { name } = JSON.parse(text) as { readonly name?: unknown };
    return typeof name === "string" && namePattern.test(name) ? name : undefined;
  } catch {
    // No JSON, or a client that hung up.
    return undefined;
  }
}

function sendJson(response: NodeResponse, body: object): void {
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-store");
  setSecurityHeaders(response);
  response.end(JSON.stringify(body));
}
