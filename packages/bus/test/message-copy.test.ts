/** Copies of messages as bytes: whatever a foreign client sets is kept and shown. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toDeadLetter, toRaw } from "../src/rabbitmq/amqp-message.ts";
import { readTable } from "../src/rabbitmq/amqp-table.ts";
import type { RawPublish } from "../src/rabbitmq/frames.ts";
import { heldCopy, releasedCopy, sentBy } from "../src/rabbitmq/message-copy.ts";
import type { Properties } from "../src/rabbitmq/properties.ts";
import { readProperties } from "../src/rabbitmq/properties.ts";
import type { ReceivedMessage } from "../src/rabbitmq/raw-connection.ts";
import { entry, long, propertySets, received, short, typed } from "./amqp-arbitraries.ts";

const longest = 131_064;
const to = { exchange: "", routingKey: "elsewhere" };
const failedAt = new Date("2026-01-01T00:00:00Z");

it("keeps what a foreign client sends through retry, dead letter and redrive, to the byte", () => {
  fc.assert(
    fc.property(propertySets, fc.string(), (properties, reason) => {
      const first = received(properties);
      const sent = comparable(sentBy(first, "work queue"));
      const retried = arrived(heldCopy(first, to, { attempt: 2, reason }, longest));
      expect(comparable(sentBy(retried, "work queue"))).toEqual(sent);
      expect(toRaw(retried)).toMatchObject({ attempt: 2, routingKey: "orders" });
      const dead = arrived(heldCopy(retried, to, { attempt: 2, reason, failedAt }, longest));
      expect(comparable(sentBy(dead, "dead-letter queue"))).toEqual(sent);
      expect(dead.body).toEqual(first.body);

      const deadLetter = toDeadLetter(dead);
      expect(deadLetter).toMatchObject({ reason, attempt: 2, failedAt });
      expect(Object.keys(deadLetter.headers).sort()).toEqual(sentNames(first));
      JSON.stringify(deadLetter);

      const again = arrived(releasedCopy(dead, to, longest));
      expect(comparable(again.properties)).toEqual(released(sent));
      expect(toRaw(again)).toMatchObject({ attempt: 1, routingKey: "orders" });
    }),
    { numRuns: 5_000 },
  );
});

it("shows whatever lies in a dead-letter queue, also what only looks like a copy", () => {
  const forged = fc.tuple(propertySets, propertySets).map(([{ fields, headers }, inner]) => {
    const table = Buffer.concat(inner.headers.map(({ bytes }) => bytes));
    const ours = [
      entry("x-first-routing-key", typed("S", long(Buffer.from("k")))),
      entry("x-sent", typed("F", long(table))),
    ];
    return { fields, headers: [...headers, ...readTable(Buffer.concat(ours))] };
  });
  fc.assert(
    fc.property(fc.oneof(propertySets, forged), (properties) => {
      const deadLetter = toDeadLetter(received(properties));
      const text = JSON.stringify(deadLetter);
      expect(typeof deadLetter.reason).toBe("string");
      expect(
        Number.isInteger(deadLetter.attempt) &&
          deadLetter.attempt >= 1 &&
          deadLetter.attempt <= 1_000_000,
      ).toBe(true);
      if (deadLetter.failedAt !== undefined)
        expect(deadLetter.failedAt.toISOString()).toMatch(/^\d{4}-/);
      expect(text).toContain('"headers":');
      releasedCopy(received(properties), to, longest);
    }),
    { numRuns: 5_000 },
  );
});

describe("a dead letter of the broker's own", () => {
  it("has its time, which is in seconds", () => {
    const seconds = Buffer.alloc(8);
    seconds.writeBigUInt64BE(1_767_225_600n);
    const death = Buffer.concat([
      entry("reason", typed("S", long(Buffer.from("delivery_limit")))),
      entry("time", typed("T", seconds)),
    ]);
    const headers = readTable(entry("x-death", typed("A", long(typed("F", long(death))))));
    expect(toDeadLetter(received({ fields: new Map(), headers }))).toMatchObject({
      reason: "dead-lettered by the broker: delivery_limit",
      failedAt,
      headers: {},
    });
  });
});

describe("headers that fill a frame", () => {
  const fill = (size: number) => {
    const small = entry("small", typed("S", long(Buffer.from("kept"))));
    const large = entry("large", typed("S", long(Buffer.alloc(size, "a"))));
    return received({
      fields: new Map([["messageId", short("m1")]]),
      headers: readTable(Buffer.concat([large, small])),
    });
  };

  it.each([130_900, 131_000, 131_030])(
    "give way to ours, and the copy says so: %i bytes",
    (size) => {
      const dead = heldCopy(fill(size), to, { attempt: 1, reason: "no van", failedAt }, longest);
      expect(dead.properties.length + 12).toBeLessThanOrEqual(longest);
      const deadLetter = toDeadLetter(arrived(dead));
      expect(deadLetter.reason).toMatch(/^no van; 1 headers of \d+ bytes cut: with ours/);
      expect(deadLetter.headers).toEqual({ small: "kept" });
      const again = heldCopy(arrived(dead), to, { attempt: 2, reason: "still no van" }, longest);
      expect(toDeadLetter(arrived(again)).reason).toMatch(/^still no van; 1 headers of/);
    },
  );

  it("stay whole where there is room", () => {
    const dead = heldCopy(fill(100_000), to, { attempt: 1, reason: "no van", failedAt }, longest);
    expect(toDeadLetter(arrived(dead))).toMatchObject({ reason: "no van", id: "m1" });
  });

  it("give way to a reason, of which the end gives way first", () => {
    const reason = "é".repeat(200_000);
    const dead = heldCopy(fill(100_000), to, { attempt: 1, reason, failedAt }, longest);
    expect(toDeadLetter(arrived(dead)).reason).toMatch(/^é{2000,2100}…$/);
  });
});

it("shows a value that is nested deeper than any program reads", () => {
  let value = typed("S", long(Buffer.from("core")));
  for (let level = 0; level < 20_000; level++) value = typed("A", long(value));
  const message = received({ fields: new Map(), headers: readTable(entry("deep", value)) });
  expect(JSON.stringify(toDeadLetter(message).headers)).toContain("…");
});

function arrived({ properties, routingKey, body }: RawPublish): ReceivedMessage {
  const read = readProperties(Buffer.concat([Buffer.alloc(12), properties]));
  return { deliveryTag: 1, exchange: "", routingKey, properties: read, body };
}

/** In any order of the headers, of which AMQP knows none. */
function comparable({ fields, headers }: Properties) {
  return {
    fields: [...fields].map(([name, bytes]) => `${name}=${bytes.toString("hex")}`).sort(),
    headers: headers.map(({ bytes }) => bytes.toString("hex")).sort(),
  };
}

/** A released copy is at its first attempt, keeps its routing key, and is not sent to the other recipients again. */
function released(sent: ReturnType<typeof comparable>) {
  const headers = readTable(Buffer.from(sent.headers.join(""), "hex"));
  const shown = headers.map(({ name, bytes, valueAt }) => {
    if (name === "CC") return entry("x-first-cc", bytes.subarray(valueAt));
    return name === "x-attempt" ? entry(name, typed("I", Buffer.from([0, 0, 0, 1]))) : bytes;
  });
  shown.push(entry("x-first-routing-key", typed("S", long(Buffer.from("orders")))));
  return { ...sent, headers: shown.map((bytes) => bytes.toString("hex")).sort() };
}

function sentNames(message: ReceivedMessage): string[] {
  return sentBy(message, "work queue")
    .headers.map(({ name }) => name)
    .sort();
}
