/** Dead letters on a real broker keep bodies, properties and headers of any sender, byte for byte. */
import fc from "fast-check";
import type { Channel } from "rabbitmq-client";
import { describe, expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { canTestRabbitmq, createTestBroker } from "@smartcart/testkit";
import type { EventBus } from "../src/index.ts";
import { openBus } from "../src/index.ts";
import type { Header } from "../src/rabbitmq/amqp-table.ts";
import { readTable, shownValue } from "../src/rabbitmq/amqp-table.ts";
import { sentBy } from "../src/rabbitmq/message-copy.ts";
import type { Properties } from "../src/rabbitmq/properties.ts";
import { writeProperties } from "../src/rabbitmq/properties.ts";
import type { ReceivedMessage } from "../src/rabbitmq/raw-connection.ts";
import { getMessage, publishRaw, RawConnection } from "../src/rabbitmq/raw-connection.ts";
import { entry, long, propertySets, received, short, typed } from "./amqp-arbitraries.ts";
import { eventually } from "./eventually.ts";

const skip = !(await canTestRabbitmq());

describe.skipIf(skip)("dead letters on RabbitMQ", () => {
  it("keep what hundreds of foreign clients sent, and are all shown", async () => {
    await using stage = await prepare();
    const seed = 20_261_126;
    const bodies = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const samples = fc.sample(fc.tuple(propertySets, bodies), { numRuns: 400, seed });
    // The broker itself reads these, and rejects invalid ones.
    const isForUs = (header: Header) =>
      !/^(CC|BCC|x-death|x-first-death-reason)$/.test(header.name) &&
      !/NaN|Infinity/.test(JSON.stringify(shownValue(header)));
    const sent = samples.map(([{ fields, headers }, body], index) => ({
      properties: { fields, headers: headers.filter(isForUs) },
      body: Buffer.concat([Buffer.from(`${index}:`), body]),
    }));
    for (const { properties, body } of sent) await stage.put(properties, body);
    const dead = stage.bus.deadLetters("orders");
    {
      await using _ = await deadLetterAll(stage.bus);
      await eventually(
        () => dead.count(),
        (count) => count === sent.length,
        60_000,
      );
    }
    const deadLetters = await dead.list({ limit: 1_000 });
    expect(deadLetters).toHaveLength(sent.length);
    JSON.stringify(deadLetters);

    const expected = sent
      .map(({ properties, body }) => comparable(received(properties, body)))
      .sort();
    expect((await stage.all("orders.dlq")).map(comparable).sort()).toEqual(expected);
    expect(await dead.redrive("all")).toBe(sent.length);
    const redriven = await stage.all("orders");
    expect(redriven.map(({ body }) => body.toString("hex")).sort()).toEqual(
      sent.map(({ body }) => body.toString("hex")).sort(),
    );
    expect(redriven.map((message) => message.properties.fields.size).sort()).toEqual(
      sent.map(({ properties }) => properties.fields.size).sort(),
    );
  });

  it("keep an expiration and a user, without expiring and without being rejected", async () => {
    await using stage = await prepare();
    const user = decodeURIComponent(new URL(stage.amqpUrl).username);
    const fields = new Map([
      ["contentType", short("text/plain")],
      ["expiration", short("2000")],
      ["userId", short(user)],
      ["replyTo", short("me")],
    ] as const);
    await using _ = await deadLetterAll(stage.bus);
    await stage.put({ fields, headers: [] }, Buffer.from([0xff, 0xfe]));
    const dead = stage.bus.deadLetters("orders");
    const properties = {
      contentType: "text/plain",
      expiration: "2000",
      userId: user,
      replyTo: "me",
    };
    await eventually(
      () => dead.count(),
      (count) => count === 1,
    );
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const [deadLetter] = await dead.list();
    expect(deadLetter).toMatchObject({ properties, headers: {} });
    expect(Buffer.from(deadLetter?.body ?? [])).toEqual(Buffer.from([0xff, 0xfe]));
  });

  it("are made of messages whose headers fill a frame, or are nested 20,000 deep", async () => {
    await using stage = await prepare();
    let deep = typed("S", long(Buffer.from("core")));
    for (let level = 0; level < 20_000; level++) deep = typed("A", long(deep));
    const large = typed("S", long(Buffer.alloc(130_950, "a")));
    for (const value of [deep, large]) {
      await stage.put(
        { fields: new Map(), headers: readTable(entry("odd", value)) },
        Buffer.from([0xff]),
      );
    }
    await using _ = await deadLetterAll(stage.bus);
    const deadLetters = await eventually(
      () => stage.bus.deadLetters("orders").list(),
      (all) => all.length === 2,
    );
    expect(
      deadLetters.filter(({ reason }) => /1 headers of \d+ bytes cut/.test(reason)),
    ).toHaveLength(1);
    expect(await stage.bus.depths()).toMatchObject({ orders: 0, "orders.dlq": 2 });
  });

  it("have the broker's own time where the broker gave them up", async () => {
    await using stage = await prepare();
    await stage.put(
      { fields: new Map([["expiration", short("1")]]), headers: [] },
      Buffer.from("x"),
    );
    const [deadLetter] = await eventually(
      () => stage.bus.deadLetters("orders").list(),
      (all) => all.length === 1,
    );
    expect(deadLetter?.reason).toBe("dead-lettered by the broker: expired");
    expect(Math.abs(Date.now() - (deadLetter?.failedAt?.getTime() ?? 0))).toBeLessThan(60_000);
  });
});

/** A bus in an empty virtual host, and a foreign client beside it. */
async function prepare() {
  await using started = new AsyncDisposableStack();
  const { amqpUrl } = started.use(await createTestBroker());
  const bus = started.use(
    await openBus({ amqpUrl, databaseUrl: "", name: "test", log: silentLogger }),
  );
  const foreignClient = new RawConnection({ url: amqpUrl, frameMax: 131_072, noDelay: true });
  started.defer(() => foreignClient.close());
  const channel = await foreignClient.acquire();
  await channel.confirmSelect();
  started.defer(() => channel.close());
  const running = started.move();
  return {
    amqpUrl,
    bus,
    put: (properties: Properties, body: Buffer) =>
      publishRaw(
        channel,
        [
          {
            exchange: "",
            routingKey: "orders",
            mandatory: true,
            properties: writeProperties(properties),
            body,
          },
        ],
        () => {},
      ),
    all: (queue: string) => lookAtAll(channel, queue),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** All messages of a queue, which stay there. */
async function lookAtAll(channel: Channel, queue: string): Promise<ReceivedMessage[]> {
  const all: ReceivedMessage[] = [];
  for (;;) {
    const message = await getMessage(channel, queue);
    if (message === undefined) break;
    all.push(message);
  }
  const { messageCount: left } = await channel.queueDeclare({ queue, passive: true });
  channel.basicNack({ deliveryTag: 0, multiple: true, requeue: true });
  await eventually(
    () => channel.queueDeclare({ queue, passive: true }),
    ({ messageCount }) => messageCount === left + all.length,
  );
  return all;
}

function deadLetterAll(bus: EventBus) {
  return bus.consume("orders", {
    name: "test",
    log: silentLogger,
    maxBatch: 50,
    handle: async (batch) => batch.map(() => ({ kind: "dead-letter", reason: "no such street" })),
  });
}

/** All that its sender set, as text. */
function comparable(message: ReceivedMessage): string {
  const { fields, headers } = sentBy(message, "work queue");
  return JSON.stringify([
    message.body.toString("hex"),
    [...fields].map(([name, bytes]) => `${name}=${bytes.toString("hex")}`).sort(),
    headers.map(({ bytes }) => bytes.toString("hex")).sort(),
  ]);
}
