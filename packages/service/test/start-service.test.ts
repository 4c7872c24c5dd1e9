/** The frame of a service on a real port and a real database. */
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { openBus } from "@smartcart/bus";
import {
  InventoryService,
  ReserveRequestSchema,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { DomainError, problemOf, settleBatch } from "@smartcart/mesh";
import { commonConfig, parseConfig, silentLogger } from "@smartcart/runtime";
import { createDetachableDatabase, createTestDatabase, errorOf } from "@smartcart/testkit";
import type { ServiceContext, ServiceServer } from "../src/index.ts";
import { startService } from "../src/index.ts";

const unavailable = { code: "STOCK_UNAVAILABLE", title: "No stock", message: "Again in a second." };

function start(build: (context: ServiceContext) => ServiceServer | Promise<ServiceServer>) {
  return startService(
    {
      name: "frame",
      portVariable: "FRAME_PORT",
      config: { ...parseConfig({}, commonConfig), FRAME_PORT: 0 },
      log: silentLogger,
      unavailable,
    },
    build,
  );
}

/** What /readyz says of each check. */
async function readiness(url: string): Promise<{ status: number; checks: string[] }> {
  const answer = await fetch(`${url}/readyz`);
  return {
    status: answer.status,
    checks: Object.keys(((await answer.json()) as { checks: object }).checks),
  };
}

async function firstOf<T>(stream: AsyncIterable<T>): Promise<T | undefined> {
  for await (const message of stream) return message;
  return undefined;
}

function readStock(url: string) {
  return async ({ openDatabase, mapError }: ServiceContext): Promise<ServiceServer> => {
    const database = await openDatabase({ url, schema: "public" });
    const reserve = async () => {
      await database.query({ text: "select 1" });
      return { outcome: { case: undefined } };
    };
    const routes = (router: ConnectRouter) =>
      router.service(InventoryService, {
        async checkStock() {
          await reserve();
          return {};
        },
        batchReserve: async ({ requests }) => ({
          results: await settleBatch(ReserveRequestSchema, requests, reserve, {
            log: silentLogger,
            mapError,
          }),
        }),
        async *watchStock() {
          await reserve();
          yield {};
        },
      });
    return { services: [InventoryService], routes };
  };
}

it("answers a lost database with the service's own error: to a call, a stream and an item of a batch", async () => {
  await using database = await createDetachableDatabase();
  await using service = await start(readStock(database.url));
  const inventory = createClient(InventoryService, service.transport);
  const lines = [{ productId: "mug", quantity: 1 }];
  await inventory.checkStock({ productId: "mug", quantity: 1 });

  await database.detach();
  const expected = { code: "STOCK_UNAVAILABLE", retryAfterMs: 1_000 };
  const call = await errorOf(inventory.checkStock({ productId: "mug", quantity: 1 }));
  expect(ConnectError.from(call).code).toBe(Code.Unavailable);
  expect(problemOf(call)).toMatchObject(expected);
  const stream = await errorOf(firstOf(inventory.watchStock({})));
  expect(problemOf(stream)).toMatchObject(expected);
  const { results } = await inventory.batchReserve({ requests: [{ reservationId: "r1", lines }] });
  expect(results[0]?.result).toMatchObject({ case: "error", value: { code: Code.Unavailable } });
});

it("leaves an error alone that is an answer already, whatever caused it", async () => {
  const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  const catalogue = {
    code: "CATALOGUE_UNAVAILABLE",
    rpcCode: Code.Unavailable,
    title: "No prices",
  };
  const answers = [
    new DomainError({ ...catalogue, message: "Again.", cause }),
    new ConnectError("no", Code.Unavailable, undefined, undefined, cause),
  ];
  await using _ = await start(({ mapError }) => {
    for (const answer of answers) expect(mapError(answer)).toBe(answer);
    expect(mapError(cause)).toMatchObject(unavailable);
    return {};
  });
});

it("is ready when what it opened is there: a queue that it does not use is no part of that", async () => {
  await using server = await createTestDatabase();
  await using bus = await openBus({ databaseUrl: server.url, name: "frame", log: silentLogger });
  await using nothing = await start(() => ({}));
  expect(await readiness(nothing.url)).toEqual({ status: 200, checks: [] });
  await using both = await start(async (context) => {
    await context.openDatabase({ url: server.url, schema: "public" });
    context.observeBus(bus);
    return { checks: { own: async () => {} } };
  });
  expect(await readiness(both.url)).toEqual({ status: 200, checks: ["database", "bus", "own"] });
});

it("disposes of what goes first, then of the server, then of what was built, the last first", async () => {
  const ended: string[] = [];
  const service = await start(({ stack }) => {
    stack.defer(() => void ended.push("first"));
    stack.defer(() => void ended.push("second"));
    return {
      disposeFirst: {
        async [Symbol.asyncDispose]() {
          ended.push(`sockets while ${service.status()}`);
        },
      },
    };
  });
  await service[Symbol.asyncDispose]();
  expect(ended).toEqual(["sockets while serving", "second", "first"]);
  expect(service.status()).toBe("draining");
});

it("undoes a start that fails", async () => {
  const ended: string[] = [];
  const failing = start(({ stack }) => {
    stack.defer(() => void ended.push("undone"));
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(ended).toEqual(["undone"]);
});
