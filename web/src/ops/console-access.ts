import type { Interceptor } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";
import type { Session, TokenSource } from "../session/session.ts";
import { createStored } from "../storage.ts";

/** The operator's token, where the service wants one. */
export interface ConsoleAccess {
  /** Why the console asks for a token: "" it does not, "missing" it has none, "refused" the given one is wrong. */
  readonly wanted: Pick<Observable<"" | "missing" | "refused">, "get" | "subscribe">;
  /** Keeps a token for this tab; calls bear it from now on. */
  give(token: string): void;
  /** Whether an error asks for a token. If so, the console asks for one. */
  isDenied(error: unknown): boolean;
  /** Puts the token on each call. */
  readonly interceptor: Interceptor;
  /** The same token for calls by REST. */
  readonly tokens: TokenSource;
}

/** The token that this tab was given, else the one of an operator who is signed in. */
export function createConsoleAccess(session: Session): ConsoleAccess {
  // Of this tab, until it is closed: a token is no setting.
  const token = createStored<string>({
    storage: sessionStorage,
    key: "smartcart.ops-token",
    parse: (text) => text ?? "",
    format: (value) => value || undefined,
  });
  const bearer = (): string | undefined => {
    const held = session.current();
    return token.get() || (held?.isOperator ? held.token : undefined);
  };
  const wanted = createObservable<"" | "missing" | "refused">("");
  const isDenied = (error: unknown): boolean => {
    const denied = ConnectError.from(error).code === Code.Unauthenticated;
    if (denied) wanted.set(bearer() ? "refused" : "missing");
    return denied;
  };
  return {
    wanted,
    isDenied,
    give(next) {
      token.set(next.trim());
      wanted.set("");
    },
    tokens: { token: async () => bearer(), renew: async () => false },
    interceptor: (next) => async (request) => {
      const sent = bearer();
      if (sent) request.header.set("Authorization", `Bearer ${sent}`);
      try {
        return await next(request);
      } catch (error) {
        isDenied(error);
        throw error;
      }
    },
  };
}

/** The message of a failed call, for the operator. */
export function complaintOf(error: unknown): string {
  const { code, rawMessage } = ConnectError.from(error);
  if (code === Code.Unauthenticated) return "A token is required.";
  if (code === Code.DeadlineExceeded) return "The request timed out. It may have been carried out.";
  if (code === Code.Unavailable || code === Code.Unknown) return "The ops service is unreachable.";
  return rawMessage;
}
