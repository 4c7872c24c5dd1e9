import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";
import type { HeldToken } from "./held-token.ts";
import { holdToken } from "./held-token.ts";
import type { SignIn, SignInApi } from "./sign-in.ts";

export interface TokensOptions {
  readonly api: SignInApi;
  /** Where the token is stored. */
  readonly stored: Observable<HeldToken | undefined>;
  /** The customer's name as typed, by which development signs in; may be empty. */
  readonly name: () => string;
}

/** Knows how to sign in, and gets tokens by name where the shop runs in development. */
export function createTokens({ api, stored, name }: TokensOptions) {
  const signIn = createObservable<SignIn | undefined>(undefined);
  const once = createOnce();

  const readSignIn = async (): Promise<SignIn | undefined> => {
    if (!signIn.get()) await once("config", async () => signIn.set(await api.readSignIn()));
    return signIn.get();
  };
  const current = (): HeldToken | undefined =>
    signIn.get()?.method === "none" ? undefined : stored.get();
  const signInAs = (subject: string): Promise<void> =>
    once(`as ${subject}`, async () => {
      const token = await api.issueToken(subject);
      stored.set(token === undefined ? undefined : holdToken(token, Date.now()));
    });
  const token = async (): Promise<string | undefined> => {
    if ((await readSignIn())?.method !== "development") return current()?.token;
    const subject = name().trim();
    if (subject === "") return undefined;
    if (current()?.subject !== subject) await signInAs(subject);
    return current()?.token;
  };
  return { signIn, readSignIn, current, token };
}

/** Runs the work of one name once at a time: calls in the meantime share its result. */
function createOnce(): (name: string, work: () => Promise<void>) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  return (name, work) => {
    const earlier = running.get(name);
    if (earlier) return earlier;
    const promise = work().finally(() => running.delete(name));
    running.set(name, promise);
    return promise;
  };
}
