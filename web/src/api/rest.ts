import type { TokenSource } from "../session/session.ts";
import type { Problem } from "./problem.ts";
import { parseProblem } from "./problem.ts";

/** What became of a request. */
export type Answer<T> =
  | { readonly kind: "ok"; readonly status: number; readonly body: T }
  | { readonly kind: "problem"; readonly problem: Problem }
  /** No answer: offline, a lost connection, or too slow. Whether the backend acted on the request is not known. */
  | { readonly kind: "unreachable" };

/** A request to the REST interface of the page's own origin. */
export interface RestRequest {
  readonly method?: "GET" | "POST";
  readonly path: string;
  /** Sent as it stands, as JSON. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest wait for the whole answer, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Aborting it rejects the returned promise; every other failure is an `Answer`. */
  readonly signal?: AbortSignal;
}

/**
 * Sends one request with the session's token, and once more where the token is refused and there is another one. `T` is
 * the proto3 JSON of the answer in the contract.
 */
export async function callRest<T>(session: TokenSource, request: RestRequest): Promise<Answer<T>> {
  const token = await session.token();
  const answer = await send<T>(request, token);
  const isRefused = answer.kind === "problem" && answer.problem.status === 401;
  if (!isRefused || !(await session.renew(token))) return answer;
  return send(request, await session.token());
}

async function send<T>(request: RestRequest, token: string | undefined): Promise<Answer<T>> {
  const deadline = AbortSignal.timeout(request.timeoutMs ?? 5_000);
  try {
    const response = await fetch(request.path, {
      method: request.method ?? "GET",
      headers: {
        // Paths under /orders are pages too; this is what tells them apart.
        Accept: "application/json",
        ...(request.body !== undefined && { "Content-Type": "application/json" }),
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...request.headers,
      },
      ...(request.body !== undefined && { body: request.body }),
      // The browser must never answer a navigation to /orders/ORD-… with this JSON from its cache.
      cache: "no-store",
      signal: request.signal ? AbortSignal.any([deadline, request.signal]) : deadline,
    });
    return await readAnswer<T>(response);
  } catch {
    request.signal?.throwIfAborted();
    return { kind: "unreachable" };
  }
}

async function readAnswer<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text();
  const body = parseJson(text);
  if (response.ok && body !== undefined) {
    return { kind: "ok", status: response.status, body: body as T };
  }
  const retryAfter = response.headers.get("Retry-After");
  // A success that is no JSON comes from something in between, not from the shop: as good as no answer.
  const status = response.ok ? 502 : response.status;
  return { kind: "problem", problem: parseProblem(status, body, retryAfter) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
