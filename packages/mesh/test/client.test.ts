import type { ConnectRouter, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { ShortLineSchema } from "@smartcart/gen/inventory/v1/reservation_pb";
import { createMetrics, currentTraceId, silentLogger, withSpan } from "@smartcart/runtime";
import { toItemError } from "../src/batch/item-error.ts";
import type { ServiceClientOptions } from "../src/index.ts";
import { createServiceClient, DomainError, detached, detailOf, problemOf } from "../src/index.ts";
import { startTestServer } from "./rig.ts";

type Inventory = Partial<ServiceImpl<typeof InventoryService>>;

const inventory = (implementation: Inventory) => (router: ConnectRouter) => {
  router.service(InventoryService, implementation);
};

function clientOf(where: Pick<ServiceClientOptions, "baseUrl" | "transport" | "meshSecret">) {
  return createServiceClient(InventoryService, { caller: "order", log: silentLogger, ...where });
}

const failure = (call: Promise<unknown>) => call.then(() => undefined, ConnectError.from);
const line = { productId: "mug", quantity: 1 };
const reserve = (reservationId: string) => ({ reservationId, lines: [line] });
const reservation = (reservationId: string) => ({
  outcome: { case: "reservation" as const, value: { reservationId } },
});

describe("batching", () => {
  /** Reserves all but those that are called "bad…"; says how many requests came at once. */
  function reserving() {
    const batches: number[] = [];
    const one = (id: string) => {
      if (id.startsWith("bad")) {
        throw new DomainError({
          code: "RESERVATION_DIFFERS",
          rpcCode: Code.AlreadyExists,
          title: "Exists with other lines",
          message: `${id} exists with other lines.`,
          details: [{ desc: ShortLineSchema, value: { productId: id } }],
        });
      }
      return reservation(id);
    };
    const routes = inventory({
      reserve({ reservationId }) {
        batches.push(1);
        return one(reservationId);
      },
      batchReserve({ requests }) {
        batches.push(requests.length);
        const results = requests.map(({ reservationId }) => {
          try {
            return { result: { case: "response" as const, value: one(reservationId) } };
          } catch (error) {
            return { result: { case: "error" as const, value: toItemError(error) } };
          }
        });
        return { results };
      },
    });
    return { routes, batches };
  }

  test.each(["network", "process"])("concurrent calls become one, over the %s", async (way) => {
    const { routes, batches } = reserving();
    await using server = await startTestServer({ routes });
    using client = clientOf(
      way === "network" ? { baseUrl: server.url } : { transport: server.transport },
    );
    const ids = Array.from({ length: 20 }, (_, i) => `ORD-${i}`);
    const answers = await Promise.all(ids.map((id) => client.reserve(reserve(id))));
    expect(
      answers.map(({ outcome }) => outcome.case === "reservation" && outcome.value.reservationId),
    ).toEqual(ids);
    expect(batches).toEqual([20]);
  });

  test("a lonely call goes by the unary method", async () => {
    const { routes, batches } = reserving();
    await using server = await startTestServer({ routes });
    using client = clientOf({ baseUrl: server.url });
    await client.reserve(reserve("ORD-1"));
    expect(batches).toEqual([1]);
  });

  test("each item gets its own error, with its details", async () => {
    const { routes } = reserving();
    await using server = await startTestServer({ routes });
    using client = clientOf({ baseUrl: server.url });
    const calls = ["bad-1", "good", "bad-2"].map((id) => failure(client.reserve(reserve(id))));
    const [first, good, second] = await Promise.all(calls);
    expect(good).toBeUndefined();
    expect(first?.code).toBe(Code.AlreadyExists);
    expect(first?.rawMessage).toBe("bad-1 exists with other lines.");
    expect(problemOf(first)?.code).toBe("RESERVATION_DIFFERS");
    expect(detailOf(second, ShortLineSchema)?.productId).toBe("bad-2");
  });

  test("an item that breaks a rule fails alone", async () => {
    const { routes } = reserving();
    await using server = await startTestServer({ routes });
    using client = clientOf({ baseUrl: server.url });
    const invalid = { reservationId: "ORD-2", lines: [] };
    const calls = [reserve("ORD-1"), invalid, reserve("ORD-3")].map((r) =>
      failure(client.reserve(r)),
    );
    const codes = (await Promise.all(calls)).map((error) => error?.code);
    expect(codes).toEqual([undefined, Code.InvalidArgument, undefined]);
  });

  test("a caller's deadline ends its own wait and no other caller's", async () => {
    const end = Promise.withResolvers<void>();
    const routes = inventory({
      async batchReserve({ requests }) {
        await end.promise;
        const results = requests.map(({ reservationId }) => ({
          result: { case: "response" as const, value: reservation(reservationId) },
        }));
        return { results };
      },
    });
    await using server = await startTestServer({ routes });
    using client = clientOf({ baseUrl: server.url });
    const hurried = failure(client.reserve(reserve("ORD-1"), { timeoutMs: 20 }));
    const patient = failure(client.reserve(reserve("ORD-2")));
    expect((await hurried)?.code).toBe(Code.DeadlineExceeded);
    end.resolve();
    expect(await patient).toBeUndefined();
  });

  test("a batch that fails as a whole fails every call", async () => {
    const routes = inventory({
      batchReserve() {
        throw new Error("boom");
      },
    });
    await using server = await startTestServer({ routes });
    using client = clientOf({ baseUrl: server.url });
    const calls = ["ORD-1", "ORD-2"].map((id) => failure(client.reserve(reserve(id))));
    expect((await Promise.all(calls)).map((e) => e?.code)).toEqual([Code.Internal, Code.Internal]);
  });
});

describe("retries", () => {
  /** Fails so often before it answers. */
  function flaky(failures: number, code: Code) {
    let attempts = 0;
    const fail = () => {
      attempts += 1;
      if (attempts <= failures) {
        throw new ConnectError("not now", code);
      }
      return {};
    };
    return {
      routes: inventory({ listProducts: fail, checkStock: fail }),
      attempts: () => attempts,
    };
  }

  test("a method with a retry policy is repeated while it is unavailable", async () => {
    const { routes, attempts } = flaky(2, Code.Unavailable);
    await using server = await startTestServer({ routes });
    using client = clientOf({ baseUrl: server.url });
    expect(await failure(client.listProducts({}))).toBeUndefined();
    expect(attempts()).toBe(3);
  });

  test("no more often than the contract says", async () => {
    const { routes, attempts } = flaky(9, Code.Unavailable);
    await using server = await startTestServer({ routes });
    using client = clientOf({ baseUrl: server.url });
    expect((await failure(client.listProducts({})))?.code).toBe(Code.Unavailable);
    expect(attempts()).toBe(3);
  });

  test("neither other errors nor other methods are", async () => {
    const other = flaky(1, Code.FailedPrecondition);
    await using first = await startTestServer({ routes: other.routes });
    using client = clientOf({ baseUrl: first.url });
    await failure(client.listProducts({}));
    expect(other.attempts()).toBe(1);

    const { routes, attempts } = flaky(1, Code.Unavailable);
    await using second = await startTestServer({ routes });
    using without = clientOf({ baseUrl: second.url });
    await failure(without.checkStock(line));
    expect(attempts()).toBe(1);
  });

  test("not beyond the caller's own deadline or signal", async () => {
    const { routes, attempts } = flaky(1000, Code.Unavailable);
    await using server = await startTestServer({ routes });
    using client = clientOf({ baseUrl: server.url });
    const error = await failure(client.listProducts({}, { signal: AbortSignal.abort() }));
    expect(error?.code).toBe(Code.Canceled);
    expect(attempts()).toBe(0);
  });

  test("a failure of the process next door is no broken connection", async () => {
    const routes = inventory({
      checkStock() {
        throw Object.assign(new Error("no database"), { code: "ECONNREFUSED" });
      },
    });
    await using server = await startTestServer({ routes });
    using client = clientOf({ transport: server.transport });
    expect((await failure(client.checkStock(line)))?.code).toBe(Code.Internal);
  });

  test("a call that a closing server has not begun is sent again", async () => {
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const first = await startTestServer({
      routes: inventory({
        async getProduct() {
          begun.resolve();
          await end.promise;
          return {};
        },
      }),
      drainNoticeMs: 0,
    });
    using client = clientOf({ baseUrl: first.url });
    const underWay = client.getProduct({ productId: "mug" });
    await begun.promise;
    const disposed = first[Symbol.asyncDispose]();
    await expect.poll(() => failure(fetch(first.url))).toBeDefined();
    await using second = await startTestServer({ port: first.port });
    expect(await failure(client.checkStock(line))).toBeUndefined();
    expect(second.status()).toBe("serving");
    end.resolve();
    await Promise.all([underWay, disposed]);
  });

  test("a server that comes back on the same port is found again", async () => {
    const first = await startTestServer();
    using client = clientOf({ baseUrl: first.url });
    expect(await client.checkStock(line)).toMatchObject({ available: 5 });
    await first[Symbol.asyncDispose]();
    expect((await failure(client.checkStock(line)))?.code).toBe(Code.Unavailable);
    await using second = await startTestServer({ port: first.port });
    await expect.poll(() => failure(client.checkStock(line))).toBeUndefined();
    expect(second.port).toBe(first.port);
  });
});

describe("from within a call", () => {
  /** A server whose CheckStock calls GetProduct of another one, which answers how much time it was given. */
  async function chain(
    call: (c: ReturnType<typeof clientOf>, context: HandlerContext) => Promise<unknown>,
  ) {
    const times: (number | undefined)[] = [];
    const traces: (string | undefined)[] = [];
    const inner = await startTestServer({
      routes: inventory({
        getProduct(_, context) {
          times.push(context.timeoutMs());
          traces.push(currentTraceId());
          return {};
        },
      }),
    });
    const client = clientOf({ baseUrl: inner.url });
    const outer = await startTestServer({
      routes: inventory({
        async checkStock(_, context) {
          await call(client, context);
          return {};
        },
      }),
    });
    const outerClient = clientOf({ baseUrl: outer.url });
    return {
      times,
      traces,
      outerClient,
      async [Symbol.asyncDispose]() {
        outerClient[Symbol.dispose]();
        await outer[Symbol.asyncDispose]();
        client[Symbol.dispose]();
        await inner[Symbol.asyncDispose]();
      },
    };
  }

  test("what is left of the deadline and the trace go onward", async () => {
    await using o = await chain((client) => client.getProduct({ productId: "mug" }));
    const traceId = await withSpan("test", { service: "test" }, async () => {
      await o.outerClient.checkStock(line, { timeoutMs: 900 });
      return currentTraceId();
    });
    expect(o.times[0]).toBeLessThanOrEqual(900);
    expect(o.traces).toEqual([traceId]);
  });

  test("detached work has the contract's time", async () => {
    await using o = await chain((client) =>
      detached(() => client.getProduct({ productId: "mug" })),
    );
    await o.outerClient.checkStock(line, { timeoutMs: 900 });
    expect(o.times[0]).toBeGreaterThan(900);
  });

  test("a neighbour's error goes no further as it is", async () => {
    await using broken = await chain((client) => client.reserve(reserve("")));
    const error = await failure(broken.outerClient.checkStock(line));
    expect(error?.code).toBe(Code.Internal);
    expect(error?.rawMessage).toBe("internal error");
  });
});

describe("callers", () => {
  const meshSecret = "sixteen letters or more";
  const routes = inventory({ reserve: () => reservation("ORD-1"), checkStock: () => ({}) });
  const call = (o: Partial<ServiceClientOptions>) => {
    const options = { caller: "order", log: silentLogger, ...o };
    return failure(createServiceClient(InventoryService, options).reserve(reserve("ORD-1")));
  };

  test("the contract's list holds where there is a secret", async () => {
    await using server = await startTestServer({ name: "inventory", routes, meshSecret });
    for (const way of [{ baseUrl: server.url }, { transport: server.transport }]) {
      expect(await call({ ...way, meshSecret })).toBeUndefined();
      expect((await call({ ...way }))?.code).toBe(Code.Unauthenticated);
      expect((await call({ ...way, meshSecret: "another secret 123" }))?.code).toBe(
        Code.Unauthenticated,
      );
      expect((await call({ ...way, meshSecret, caller: "shipping" }))?.code).toBe(
        Code.PermissionDenied,
      );
    }
    const anybody = createServiceClient(InventoryService, {
      caller: "web",
      log: silentLogger,
      transport: server.transport,
    });
    expect(await failure(anybody.checkStock(line))).toBeUndefined();
  });

  test("without a secret everybody may call", async () => {
    await using server = await startTestServer({ routes });
    expect(await call({ baseUrl: server.url })).toBeUndefined();
  });
});

test("durations and batch sizes are counted", async () => {
  const metrics = createMetrics("test");
  await using server = await startTestServer();
  using client = createServiceClient(InventoryService, {
    caller: "order",
    log: silentLogger,
    metrics,
    baseUrl: server.url,
  });
  await client.checkStock(line);
  expect(await metrics.metrics()).toMatch(
    /rpc_client_duration_seconds_count\{.*rpc_method="CheckStock",code="OK".*\} 1/,
  );
});

test("a client needs to know where its service is", () => {
  expect(() => clientOf({})).toThrow("baseUrl");
});
