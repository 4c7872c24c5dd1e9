/** `smartcart dlq` on RabbitMQ with dead letters of a foreign publisher that uses every AMQP property and type. */
import { describe, expect, it } from "vitest";
import { openBus } from "@smartcart/bus";
import { silentLogger } from "@smartcart/runtime";
import { canTestRabbitmq, createTestBroker, waitFor } from "@smartcart/testkit";
import { runPython } from "./python.ts";
import { cli } from "./run-cli.ts";

describe.skipIf(!(await canTestRabbitmq()))("strange dead letters", () => {
  it("are all listed and shown, and put back as they came in", async () => {
    await using broker = await createTestBroker();
    const { amqpUrl } = broker;
    await using bus = await openBus({
      ...{ amqpUrl, databaseUrl: "", name: "test", log: silentLogger },
    });
    // Straight into the dead letters, and by way of a consumer that gives them up.
    await runPython("amqp_strange.py", amqpUrl, "orders.dlq");
    await runPython("amqp_strange.py", amqpUrl, "orders");
    const consumer = await bus.consume("orders", {
      name: "test",
      log: silentLogger,
      handle: async (batch) => batch.map(() => ({ kind: "ack" })),
    });
    const letters = bus.deadLetters("orders");
    await waitFor(async () => (await letters.count()) === 14);
    await consumer[Symbol.asyncDispose]();

    const env = { AMQP_URL: amqpUrl, DATABASE_URL: "postgres://127.0.0.1/unused" };
    const { stdout: list } = await cli(["dlq", "list", "orders"], env);
    const lines = list.trimEnd().split("\n");
    expect(lines).toHaveLength(15);
    expect(list).toContain("unknown time");
    expect(list).toContain('{"nested":[1,null,true]}');
    expect(list).toContain("two\\nlines\\u001b[2J");

    const { stdout: both } = await cli(["dlq", "show", "orders", "whole"], env);
    const [, shown] = both.split(/(?<=^})\n/m);
    const whole = JSON.parse(shown ?? "");
    expect(whole).toMatchObject({
      properties: {
        contentType: "text/plain",
        replyTo: "me",
        appId: "strange",
        priority: 3,
        correlationId: "c-1",
        expiration: "3600000",
        timestamp: "2026-01-01T00:00:00.000Z",
        messageId: "whole",
      },
      headers: { kept: "[redacted]" },
      bodySize: 2,
    });
    const times = (await letters.list()).map(({ headers }) => headers).filter(({ when }) => when);
    for (const headers of times) {
      expect(headers).toEqual({
        when: "2026-01-01T12:00:00.000Z",
        price: "125e-1",
        big: expect.stringMatching(/^4611686018427387904L?$/),
        none: null,
      });
    }
    expect(times).toHaveLength(2);

    const redriven = await cli(["dlq", "redrive", "orders", "all"], env);
    expect(redriven.stdout).toBe("14 moved back to orders\n");
    const back = JSON.parse(await runPython("amqp_properties.py", amqpUrl, "orders"));
    expect(back).toHaveLength(14);
    const wholes = back.filter((one: { message_id: string }) => one.message_id === "whole");
    for (const one of wholes) {
      expect(one).toMatchObject({
        body: "\u00ff\u00fe",
        content_type: "text/plain",
        reply_to: "me",
        app_id: "strange",
        priority: 3,
        correlation_id: "c-1",
        expiration: "3600000",
        timestamp: 1_767_225_600,
        headers: { kept: "'yes'" },
      });
    }
    expect(wholes).toHaveLength(2);
    const odd = back.filter((one: { headers: Record<string, string> }) => one.headers.when);
    for (const { headers } of odd) {
      expect(headers).toMatchObject({
        when: "datetime.datetime(2026, 1, 1, 12, 0)",
        price: "Decimal('12.5')",
        big: expect.stringMatching(/^4611686018427387904L?$/),
        none: "None",
      });
    }
    expect(odd).toHaveLength(2);
    const yesterday = back.filter(
      (one: { headers: Record<string, string> }) => one.headers["x-failed-at"] === "'yesterday'",
    );
    expect(yesterday).toHaveLength(2);
  });
});
