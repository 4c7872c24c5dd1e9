/** How a customer signs in at this shop: the answer of `GET /auth/config`. */
export interface SignIn {
  /**
   * "none": the shop has no sign-in. "development": by name, at the page's own server. "oidc": at an OpenID
   * provider.
   */
  readonly method: "none" | "development" | "oidc";
  /** On the network without access control: the page shows a warning. */
  readonly isOpen: boolean;
  /** Set where the method is "oidc". */
  readonly oidc?: OidcSettings;
}

/** The page as a public client of an OpenID provider. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** What the access token must be for. */
  readonly audience: string;
  /** What is asked for, separated by spaces. */
  readonly scope: string;
}

/** The two calls to the page's own server; both answer undefined where it gives no usable answer. */
export interface SignInApi {
  readSignIn(): Promise<SignIn | undefined>;
  /** Development: an access token for that name. */
  issueToken(name: string): Promise<string | undefined>;
}

const timeoutMs = 5_000;

export const signInApi: SignInApi = {
  readSignIn: () => fetchJson<SignIn>("/auth/config"),
  async issueToken(name) {
    const body = JSON.stringify({ name });
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", headers, body };
    return (await fetchJson<{ readonly token: string }>("/auth/token", init))?.token;
  },
};

async function fetchJson<T>(path: string, init?: RequestInit): Promise<T | undefined> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(path, { ...init, cache: "no-store", signal });
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}
