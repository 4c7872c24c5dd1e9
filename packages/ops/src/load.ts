/** For demonstrations: customers that order without a pause. */
import type { Client } from "@connectrpc/connect";
import type { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";

interface LoadOptions {
  readonly orders: Pick<Client<typeof OrderService>, "placeOrder">;
  /** Products that are well stocked; read again every five seconds. */
  readonly products: () => Promise<readonly string[]>;
  readonly log: Logger;
}

interface Load extends AsyncDisposable {
  /** Orders a second from now on; 0 ends it. */
  setRate(ordersPerSecond: number): void;
}

const users = 100;
const tickMs = 50;
/** An order service that is slow or away must not be buried in requests. */
const maxInFlight = 100;
const productsEveryMs = 5_000;

/** Places orders at rate 0 until `setRate`. At most 100 are under way: what the order service cannot take in time is dropped, not queued. */
export function startLoad({ orders, products, log }: LoadOptions): Load {
  const stop = new AbortController();
  let rate = 0;
  let due = 0;
  let lastTickMs = 0;
  let inFlight = 0;
  let placed = 0;
  let choice: readonly string[] = [];
  const choose = remember(products);

  async function place(): Promise<void> {
    const number = placed++;
    const productId = choice[number % choice.length] ?? "";
    const order = {
      userId: `load-${number % users}`,
      items: [{ productId, quantity: 1 }],
      address: "1 Demo Street",
      paymentToken: "tok_visa",
    };
    inFlight++;
    try {
      await orders.placeOrder(order, { signal: stop.signal });
    } catch (error) {
      if (!stop.signal.aborted) log.debug("ops.load_failed", { error });
    } finally {
      inFlight--;
    }
  }

  const timer = startTimer({
    name: "ops.load",
    intervalMs: tickMs,
    log,
    async run() {
      const nowMs = performance.now();
      // What could not be placed in time is not made up for: no more than a tenth of a second's worth waits.
      due = Math.min(due + (rate * (nowMs - lastTickMs)) / 1000, Math.max(1, rate / 10));
      lastTickMs = nowMs;
      if (rate === 0) return;
      choice = await choose().catch((error: unknown) => {
        log.debug("ops.load_failed", { error });
        return choice;
      });
      for (; due >= 1 && inFlight < maxInFlight && choice.length > 0; due--) void place();
    },
  });

  return {
    setRate(ordersPerSecond) {
      rate = ordersPerSecond;
      due = 0;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await timer[Symbol.asyncDispose]();
    },
  };
}

/** The products, read again every five seconds, and at each call while there are none. */
function remember(products: LoadOptions["products"]): LoadOptions["products"] {
  let choice: readonly string[] = [];
  let chosenAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (choice.length > 0 && performance.now() - chosenAtMs < productsEveryMs) return choice;
    choice = await products();
    chosenAtMs = performance.now();
    return choice;
  };
}
