import { createObservable } from "../observable.ts";
import type { HeldToken } from "./held-token.ts";
import { dropWhenExpired } from "./held-token.ts";
import type { OidcSettings, SignIn } from "./sign-in.ts";
import type { TokensOptions } from "./tokens.ts";
import { createTokens } from "./tokens.ts";

/**
 * Why a call without a token was refused, until the customer signs in: "needed", "expired", "impossible", where the
 * page has no way to sign in, or "unreachable", where the provider did not answer.
 */
export type Refusal = "" | "needed" | "expired" | "impossible" | "unreachable";

/** What API calls need of the session. */
export interface TokenSource {
  /** The access token for a call. In development, it signs the customer in by name first. */
  token(): Promise<string | undefined>;
  /**
   * Takes note that a call with this token, or without one, was answered with 401. Answers whether there is another
   * token now, with which to try once more.
   */
  renew(refused: string | undefined): Promise<boolean>;
}

/** The sign-in of the customer. */
export interface Session extends TokenSource {
  /** How to sign in; undefined until the server has answered. */
  signIn(): SignIn | undefined;
  /** The token at hand; undefined where the customer is not signed in. */
  current(): HeldToken | undefined;
  refusal(): Refusal;
  /** The OpenID provider, where the customer signs in at one. */
  oidc(): Promise<OidcSettings | undefined>;
  /** Leaves the page for the provider, and comes back to the same place. An unreachable provider is reported on the page. */
  begin(): Promise<void>;
  /** Signs in with a token that the provider issued. */
  accept(held: HeldToken): void;
  /** Forgets the token, then ends the provider's session as well. */
  signOut(): Promise<void>;
  /** Calls `listener` after every change. Returns the function that ends it. */
  subscribe(listener: () => void): () => void;
}

interface SessionOptions extends TokensOptions {
  /** The provider, loaded when it is needed. */
  readonly provider: () => Promise<{
    beginSignIn(settings: OidcSettings): Promise<void>;
    endSession(settings: OidcSettings, idToken: string | undefined): Promise<void>;
  }>;
}

/** Reads how to sign in, and keeps the token until it expires. */
export function createSession({ api, stored, name, provider }: SessionOptions): Session {
  const { signIn, readSignIn, current, token } = createTokens({ api, stored, name });
  const refusal = createObservable<Refusal>("");
  const oidc = async (): Promise<OidcSettings | undefined> => (await readSignIn())?.oidc;

  const atProvider = (work: () => Promise<void>): Promise<void> =>
    work().catch(() => refusal.set("unreachable"));

  void readSignIn();
  stored.subscribe(() => stored.get() && refusal.set(""));
  dropWhenExpired(stored, () => signIn.get()?.method === "oidc" && refusal.set("expired"));
  return {
    signIn: signIn.get,
    current,
    refusal: refusal.get,
    token,
    async renew(refused) {
      const method = (await readSignIn())?.method;
      // Another call or another tab was faster.
      if (current() && current()?.token !== refused) return true;
      stored.set(undefined);
      if (method === "development" && (await token())) return true;
      refusal.set(method === "none" ? "impossible" : refused ? "expired" : "needed");
      return false;
    },
    oidc,
    accept: stored.set,
    async begin() {
      const settings = await oidc();
      if (settings) await atProvider(async () => (await provider()).beginSignIn(settings));
    },
    async signOut() {
      const idToken = stored.get()?.idToken;
      stored.set(undefined);
      refusal.set("");
      const settings = await oidc();
      if (settings) await atProvider(async () => (await provider()).endSession(settings, idToken));
    },
    subscribe(listener) {
      const ends = [signIn, refusal, stored].map((value) => value.subscribe(listener));
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
