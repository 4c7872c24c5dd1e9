import type { Interceptor } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Session } from "../session/session.ts";

/**
 * Adds the token at hand to calls that need none: a signed-in customer has rate limits of their own. It starts no
 * sign-in. A token that is refused is dropped, and the caller tries again as it does after every failure.
 */
export function createBearerInterceptor(session: Pick<Session, "current" | "renew">): Interceptor {
  return (next) => async (request) => {
    const token = session.current()?.token;
    if (token === undefined) return next(request);
    request.header.set("Authorization", `Bearer ${token}`);
    const noteRefusal = async (error: unknown): Promise<void> => {
      if (ConnectError.from(error).code === Code.Unauthenticated) await session.renew(token);
    };
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: onError(response.message, noteRefusal) };
    } catch (error) {
      await noteRefusal(error);
      throw error;
    }
  };
}

/** A refused stream has status 200: the error is in its body. */
async function* onError<T>(
  messages: AsyncIterable<T>,
  note: (error: unknown) => Promise<void>,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    await note(error);
    throw error;
  }
}
