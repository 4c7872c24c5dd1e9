/** Everything in this process, on ports and a database of its own, and what a client of it needs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import WebSocket from "ws";
import type { RootLogger } from "@smartcart/runtime";
import { silentLogger } from "@smartcart/runtime";
import { createTestDatabase, waitFor } from "@smartcart/testkit";
import { parseSmartCartConfig } from "../src/config.ts";
import { startSmartCart } from "../src/up/start-smartcart.ts";

const anyPort = Object.fromEntries(
  ["ORDER", "INVENTORY", "PAYMENT", "STATUS", "LOG", "NOTIFICATION", "SHIPPING", "OPS", "WEB"].map(
    (service) => [`${service}_PORT`, "0"],
  ),
);

export interface StackOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of the built page. */
  readonly page?: string;
  /** Default: nothing is logged. */
  readonly log?: RootLogger;
}

export async function startStack({ env = {}, page, log = silentLogger }: StackOptions = {}) {
  await using started = new AsyncDisposableStack();
  const state = await mkdtemp(join(tmpdir(), "smartcart-test-"));
  started.defer(() => rm(state, { recursive: true, force: true }));
  const database = started.use(await createTestDatabase());
  const config = parseSmartCartConfig({
    ...anyPort,
    DATABASE_URL: database.url,
    SHIPPING_DELAY_MS: "100",
    // A busy machine must not turn 201 into 202; the test of 202 sets its own.
    ORDER_ANSWER_TIMEOUT_MS: "20000",
    SHIPPING_LOG_FILE: join(state, "shipping.log"),
    ...env,
  });
  const smartcart = started.use(
    await startSmartCart({
      config,
      stateDirectory: state,
      amqpUrl: config.AMQP_URL,
      page,
      log,
    }),
  );
  const running = started.move();
  return {
    ...smartcart,
    ...createShopper(smartcart.urls),
    shippingLog: join(state, "shipping.log"),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export type Shopper = ReturnType<typeof createShopper>;

/** What a person or a page does with the shop, over the network. */
export function createShopper(urls: Readonly<Record<string, string>>) {
  const { order = "", inventory = "", payment = "" } = urls;
  const rpc = async (base: string, method: string, body: object): Promise<Json> => {
    const response = await fetch(`${base}/smartcart.${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return response.json();
  };
  return {
    async place(body: object, headers: Record<string, string> = {}): Promise<Answer> {
      const response = await fetch(`${order}/placeOrder`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      });
      return answerOf(response);
    },
    get: async (path: string): Promise<Answer> => answerOf(await fetch(`${order}${path}`)),
    post: async (path: string, body: object = {}): Promise<Answer> =>
      answerOf(
        await fetch(`${order}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      ),
    products: async (): Promise<Json[]> =>
      (await rpc(inventory, "inventory.v1.InventoryService/ListProducts", {})).products,
    available: async (productId: string): Promise<number> =>
      (await rpc(inventory, "inventory.v1.InventoryService/CheckStock", { productId, quantity: 1 }))
        .available,
    payment: async (orderId: string): Promise<Json> =>
      (await rpc(payment, "payment.v1.PaymentService/GetPayment", { orderId })).payment,
    /** Waits until the order's history ends with this status, and answers all of it. */
    history: (orderId: string, last: string): Promise<string[]> =>
      waitFor(
        async () => {
          const response = await fetch(`${order}/orders/${orderId}/events`);
          const { events } = (await response.json()) as { events: Array<{ status: string }> };
          const statuses = events.map((event) => event.status);
          return statuses.at(-1) === last ? statuses : undefined;
        },
        { what: `order ${orderId} to be ${last}`, timeoutMs: 25_000 },
      ),
    follow: (subscription?: object) => follow(`${urls["status-hub"]}/ws`, subscription),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: JSON as a client gets it; each test says what it expects of it
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Json;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json") === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: json ? JSON.parse(text) : undefined,
  };
}

export interface StatusFrame {
  readonly orderId: string;
  readonly status: string;
  readonly sequence: number;
  readonly occurredAt: string;
}

/** A WebSocket client that subscribes and keeps what it receives. */
async function follow(url: string, subscription?: object) {
  const socket = new WebSocket(url);
  const frames: StatusFrame[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(data.toString())));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  const subscribe = (target: object) => socket.send(JSON.stringify({ subscribe: target }));
  if (subscription !== undefined) subscribe(subscription);
  return {
    frames,
    /** Subscribes to more. */
    subscribe,
    /** Resolves with the code of the close. */
    closed,
    /** Waits until a frame of that status came, and answers all frames so far. */
    until: (status: string, orderId?: string): Promise<StatusFrame[]> =>
      waitFor(
        () =>
          frames.some(
            (frame) =>
              frame.status === status && (orderId === undefined || frame.orderId === orderId),
          ) && frames,
        { what: `${status} on the WebSocket` },
      ),
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await closed;
    },
  };
}

export const wholeLife = [
  "Order Received",
  "Stock Reserved",
  "Payment Confirmed",
  "Order Confirmed",
  "Shipping Started",
  "Shipped",
];

export const cancelledLife = [
  "Order Received",
  "Stock Reserved",
  "Payment Confirmed",
  "Order Confirmed",
  "Cancelled",
  "Refunded",
];

export const seedBody = {
  userId: "u1",
  items: [{ productId: "espresso-beans", quantity: 1 }],
  address: "1 Main St",
};
