/** Clients that order again and again on kept-alive connections, and keep what became of every request, to the byte. */
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** What became of a request. */
export type Outcome =
  /** A whole answer. */
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly text: string;
      readonly retryAfter: string;
    }
  /** The connection was refused. */
  | { readonly kind: "refused" }
  /** The connection broke before the first byte of an answer. */
  | { readonly kind: "unanswered"; readonly code: string }
  /** The connection broke in the middle of an answer. */
  | { readonly kind: "half-answered"; readonly text: string };

export interface Attempt {
  readonly key: string;
  readonly userId: string;
  readonly body: object;
  readonly outcome: Outcome;
}

export interface ShoppingLoad {
  /** Every request so far that has come to an outcome. */
  readonly attempts: readonly Attempt[];
  /** Resolves when every client has stopped, which it does once a request of it is not answered. */
  readonly ended: Promise<void>;
}

export interface ShoppingLoadOptions {
  /** Base URL of the order service. */
  readonly url: string;
  readonly clients: number;
  /** The order of a client. */
  readonly bodyOf: (client: number) => { readonly userId: string };
}

/** Every client has one connection and one request at a time, and thinks for up to 50 ms between two. */
export function startShoppingLoad({ url, clients, bodyOf }: ShoppingLoadOptions): ShoppingLoad {
  const attempts: Attempt[] = [];
  const shop = async (client: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const body = bodyOf(client);
    for (let count = 0; ; count += 1) {
      const key = `client ${client}, order ${count}`;
      const outcome = await place(`${url}/placeOrder`, agent, key, body);
      attempts.push({ key, userId: body.userId, body, outcome });
      if (outcome.kind !== "answered") break;
      await delay((client * 7 + count * 13) % 50);
    }
    agent.destroy();
  };
  const ended = Promise.all(Array.from({ length: clients }, (_, client) => shop(client)));
  return { attempts, ended: ended.then(() => {}) };
}

function place(url: string, agent: Agent, key: string, body: object): Promise<Outcome> {
  const headers = { "content-type": "application/json", "idempotency-key": key };
  return new Promise((resolve) => {
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", () => resolve({ kind: "half-answered", text }));
      response.on("end", () =>
        resolve({
          kind: "answered",
          status: response.statusCode ?? 0,
          text,
          retryAfter: response.headers["retry-after"] ?? "",
        }),
      );
    });
    sent.on("error", ({ code = "" }: NodeJS.ErrnoException) =>
      resolve(code === "ECONNREFUSED" ? { kind: "refused" } : { kind: "unanswered", code }),
    );
    sent.end(JSON.stringify(body));
  });
}
