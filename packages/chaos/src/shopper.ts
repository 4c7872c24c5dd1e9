/** A customer who does not give up: asks again with the same key until there is an answer that stands. */
import { delay } from "@smartcart/runtime";
import type { ClientHistory, HistoryRecord } from "./history.ts";

export interface OrderWish {
  readonly key: string;
  readonly body: {
    readonly userId: string;
    readonly items: readonly { readonly productId: string; readonly quantity: number }[];
    readonly address: string;
    readonly paymentToken: string;
  };
}

/** An answer that stands. */
export interface Answer {
  readonly httpStatus: number;
  readonly orderId: string;
  /** CONFIRMED, PENDING; or the code of the problem. */
  readonly says: string;
  readonly text: string;
  readonly replayed: boolean;
  /** From the first request to this answer, in milliseconds. */
  readonly tookMs: number;
}

export interface ShopperOptions {
  readonly url: string;
  readonly history: ClientHistory;
  /** When it gives up at last. */
  readonly signal: AbortSignal;
  /** Called for each request that brought no answer that stands, with the HTTP status or the error. */
  readonly onUnknown: (why: string) => void;
}

export interface Shopper {
  /** Undefined where it had to give up. */
  place(wish: OrderWish): Promise<Answer | undefined>;
  /** The same request once more, after it was answered. */
  replay(wish: OrderWish): Promise<Answer | undefined>;
  cancel(key: string, orderId: string): Promise<Answer | undefined>;
}

const requestTimeoutMs = 6_000;
/** Problems that are the answer, and not a request to come again. */
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
    for (let attempt = 1; !o.signal.aborted; attempt++) {
      await o.history.append({ kind: "invoke", operation, key });
      const outcome = await request(o.url + path, key, body);
      if ("answer" in outcome) {
        const { answer } = outcome;
        const kind = answer.httpStatus < 300 ? "ok" : "failed";
        const { orderId, httpStatus, says } = answer;
        await o.history.append({ kind, operation, key, orderId, httpStatus, says });
        return { ...answer, tookMs: performance.now() - startedAt };
      }
      const { error } = outcome;
      await o.history.append({ kind: "unknown", operation, key, error });
      o.onUnknown(error);
      const pauseMs = Math.min(2_000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2);
      await delay(pauseMs, o.signal).catch(() => {});
    }
    return undefined;
  }
  return {
    place: ({ key, body }) => persist("place", key, "/placeOrder", body),
    replay: ({ key, body }) => persist("replay", key, "/placeOrder", body),
    cancel: (key, orderId) => persist("cancel", key, `/orders/${orderId}/cancel`, {}),
  };
}

type Outcome = { readonly answer: Omit<Answer, "tookMs"> } | { readonly error: string };

async function request(url: string, key: string, body: unknown): Promise<Outcome> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    const text = await response.text();
    const json = JSON.parse(text) as { orderId?: string; status?: unknown; code?: string };
    const code = json.code ?? "";
    if (!response.ok && !standing.has(code)) return { error: `${response.status} ${code}` };
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
    return { error: reasonOf(error) };
  }
}

/** "ECONNRESET" rather than "fetch failed". */
function reasonOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string }; name?: string };
  return cause?.code ?? name ?? String(error);
}
