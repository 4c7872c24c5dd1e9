/** A caller who is gone before the turn of the call has come costs the database nothing. */
import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { InventoryParts } from "../src/routes.ts";
import { createInventoryRoutes } from "../src/routes.ts";

/** Whatever is asked of it is noted, and never answered. */
function untouched(asked: string[], name = ""): unknown {
  return new Proxy(() => {}, {
    get: (_, key) => untouched(asked, `${name}.${String(key)}`),
    apply: () => {
      asked.push(name);
      return new Promise(() => {});
    },
  });
}

type Handler = (request: object, context: { signal: AbortSignal }) => Promise<unknown>;

const unary = InventoryService.methods.filter(({ methodKind }) => methodKind === "unary");

it.each(unary)("$name asks for nothing", async (method) => {
  const asked: string[] = [];
  const routes = createInventoryRoutes(untouched(asked) as InventoryParts);
  const handler = routes[method.localName as keyof typeof routes] as Handler;
  const call = handler(create(method.input), { signal: AbortSignal.abort() });
  await expect(call).rejects.toThrow("aborted");
  expect(asked).toEqual([]);
});
