/** A customer that repeats a request with the same key until it has a final answer. */
import { delay } from "@smartcart/runtime";
import type { ClientHistory, HistoryRecord } from "./history.ts";

/** The body of `POST /placeOrder`, and the idempotency key that all repetitions share. */
export interface OrderWish {
  readonly key: string;
  readonly body: {
    readonly userId: string;
    readonly items: readonly { readonly productId: string; readonly quantity: number }[];
    readonly address: string;
    readonly paymentToken: string;
  };
}

/** A final answer: one that no repetition changes. */
export interface Answer {
  readonly httpStatus: number;
  readonly orderId: string;
  /** CONFIRMED, PENDING; or the code of the problem. */
  readonly says: string;
  readonly text: string;
  readonly replayed: boolean;
  /** From the first request to the first answer of any kind, in milliseconds. */
  readonly firstMs: number;
  /** From the first request to this answer, in milliseconds. */
  readonly tookMs: number;
}

/** A request that had to be sent again. */
export interface Repetition {
  readonly operation: HistoryRecord["operation"];
  readonly key: string;
  /** Why, for each time: the HTTP status and code, or the error. */
  readonly reasons: readonly string[];
}

interface ShopperOptions {
  readonly url: string;
  readonly history: ClientHistory;
  /** When it gives up at last. */
  readonly signal: AbortSignal;
  /** Longest time of one request, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Called at the end of each request that took more than one attempt. */
  readonly onRepeated: (repetition: Repetition) => void;
}

export interface Shopper {
  /** Undefined where it had to give up. */
  place(wish: OrderWish): Promise<Answer | undefined>;
  /** The same request once more, after it was answered. */
  replay(wish: OrderWish): Promise<Answer | undefined>;
  cancel(key: string, orderId: string): Promise<Answer | undefined>;
  /** Looks at the order until it is decided: its status, or the code of its rejection. */
  follow(orderId: string): Promise<{ readonly says: string; readonly tookMs: number } | undefined>;
}

const followPauseMs = 500;
/** Problem codes that are final; every other problem is repeated. */
const standing = new Set([
  "OUT_OF_STOCK",
  "PAYMENT_DECLINED",
  "ORDER_ALREADY_SHIPPING",
  "ORDER_REJECTED",
  "IDEMPOTENCY_KEY_REUSED",
  "INVALID_ARGUMENT",
]);

export function createShopper(o: ShopperOptions): Shopper {
  async function persist(
    operation: HistoryRecord["operation"],
    key: string,
    path: string,
    body: unknown,
  ): Promise<Answer | undefined> {
    const startedAt = performance.now();
    const reasons: string[] = [];
    let firstMs: number | undefined;
    try {
      while (!o.signal.aborted) {
        await o.history.append({ kind: "invoke", operation, key });
        const outcome = await post(o.url + path, { key, body, timeoutMs: o.requestTimeoutMs });
        const tookMs = performance.now() - startedAt;
        if ("answer" in outcome) {
          const { answer } = outcome;
          const kind = answer.httpStatus < 300 ? "ok" : "failed";
          const { orderId, httpStatus, says } = answer;
          await o.history.append({ kind, operation, key, orderId, httpStatus, says });
          return { ...answer, firstMs: firstMs ?? tookMs, tookMs };
        }
        const { error, retryAfterMs } = outcome;
        if (outcome.isHttp) firstMs ??= tookMs;
        await o.history.append({ kind: "unknown", operation, key, error });
        reasons.push(error);
        const pauseMs = Math.min(2_000, 100 * 2 ** reasons.length) * (0.5 + Math.random() / 2);
        await delay(Math.max(pauseMs, retryAfterMs), o.signal).catch(() => {});
      }
      return undefined;
    } finally {
      if (reasons.length > 0) o.onRepeated({ operation, key, reasons });
    }
  }

  async function follow(orderId: string) {
    const startedAt = performance.now();
    while (!o.signal.aborted) {
      await delay(followPauseMs * (0.5 + Math.random()), o.signal).catch(() => {});
      const says = await look(`${o.url}/orders/${orderId}`, o.requestTimeoutMs);
      if (says !== "PENDING") return { says, tookMs: performance.now() - startedAt };
    }
    return undefined;
  }

  return {
    place: ({ key, body }) => persist("place", key, "/placeOrder", body),
    replay: ({ key, body }) => persist("replay", key, "/placeOrder", body),
    cancel: (key, orderId) => persist("cancel", key, `/orders/${orderId}/cancel`, {}),
    follow,
  };
}

type Outcome =
  | { readonly answer: Omit<Answer, "tookMs" | "firstMs"> }
  /** `isHttp`: an HTTP answer that allows a repetition, after `retryAfterMs` at the earliest. */
  | { readonly error: string; readonly isHttp: boolean; readonly retryAfterMs: number };

async function post(
  url: string,
  { key, body, timeoutMs }: { key: string; body: unknown; timeoutMs: number },
): Promise<Outcome> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    const json = JSON.parse(text) as { orderId?: string; status?: unknown; code?: string };
    const code = json.code ?? "";
    if (!response.ok && !standing.has(code)) {
      const retryAfterMs = Number(response.headers.get("retry-after") ?? 0) * 1_000;
      return { error: `${response.status} ${code}`, isHttp: true, retryAfterMs };
    }
    return {
      answer: {
        httpStatus: response.status,
        orderId: json.orderId ?? "",
        says: response.ok ? String(json.status) : code,
        text,
        replayed: response.headers.get("idempotency-replayed") === "true",
      },
    };
  } catch (error) {
    return { error: reasonOf(error), isHttp: false, retryAfterMs: 0 };
  }
}

/** PENDING also where nothing is known: it is looked at again. */
async function look(url: string, timeoutMs: number): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    const order = (await response.json()) as { status?: string; rejection?: { code?: string } };
    return response.ok ? (order.rejection?.code ?? order.status ?? "PENDING") : "PENDING";
  } catch {
    return "PENDING";
  }
}

/** "ECONNRESET" rather than "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string }; name?: string };
  return cause?.code ?? name ?? String(error);
}
