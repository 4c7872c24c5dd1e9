/** Requests that the console never makes: each is answered, or refused with a reason; none is an internal error. */
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { test } from "vitest";
import { createFaultSwitch } from "@smartcart/mesh";
import { propertyOptions } from "@smartcart/testkit";
import { createWorld, startInstance } from "./world.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 70 }),
  fc.constantFrom(
    "",
    "orders",
    "logs",
    "shipments",
    "\0",
    "a\0b",
    "__proto__",
    "Load",
    "x".repeat(300),
  ),
);
const int32 = fc.oneof(
  fc.nat(600),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(2 ** 31 - 1, -1, 0),
);
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 1n),
);
const selection = fc.option(
  fc.record({ queue: text, messageIds: fc.array(text, { maxLength: 3 }) }),
  { nil: undefined },
);

const request = fc.oneof(
  fc.record({
    listDeadLetters: fc.record({ queue: text, orderId: text, pageSize: int32 }),
  }),
  fc.record({
    redriveDeadLetters: fc.record({ selection, maxPerSecond: int32, limit: int32 }),
  }),
  fc.record({ dropDeadLetters: fc.record({ selection }) }),
  fc.record({
    setFaultSwitch: fc.record({
      service: fc.oneof(text, fc.constantFrom("ops", "shipping")),
      name: fc.oneof(text, fc.constantFrom("load", "stop")),
      value: int64,
    }),
  }),
  fc.record({ watchMesh: fc.record({ backlogSeconds: int32 }) }),
);

const faults = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.FailedPrecondition,
  Code.OutOfRange,
]);

test.each(["postgres", "rabbitmq"] as const)(
  "on %s, whatever a request holds, it is answered or its fault is told",
  async (engine) => {
    await using shipping = await startInstance("shipping", {
      faultSwitches: [createFaultSwitch({ name: "stop", title: "Begin no shipment" })],
    });
    await using world = await createWorld(engine, {
      OPS_INSTANCES: `shipping=${shipping.url}`,
      SMARTCART_DEMO: "1",
    });
    const { client } = world;
    const first = async (open: (o: { signal: AbortSignal }) => AsyncIterable<unknown>) => {
      const done = new AbortController();
      try {
        for await (const _ of open({ signal: done.signal })) break;
      } finally {
        done.abort();
      }
    };
    const send = async (o: Record<string, never>): Promise<unknown> => {
      const [[method, init] = ["", undefined]] = Object.entries(o);
      if (method === "listDeadLetters") return client.listDeadLetters(init ?? {});
      if (method === "setFaultSwitch") return client.setFaultSwitch(init ?? {});
      if (method === "redriveDeadLetters")
        return first((call) => client.redriveDeadLetters(init ?? {}, call));
      if (method === "dropDeadLetters")
        return first((call) => client.dropDeadLetters(init ?? {}, call));
      return first((call) => client.watchMesh(init ?? {}, call));
    };
    await fc.assert(
      fc.asyncProperty(request, async (o) => {
        const error = await send(o as never).then(
          () => undefined,
          (thrown: unknown) => ConnectError.from(thrown),
        );
        if (error !== undefined && !faults.has(error.code)) throw error;
      }),
      propertyOptions({ numRuns: 1500, limitMs: 40_000 }),
    );
  },
  90_000,
);
