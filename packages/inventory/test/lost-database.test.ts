import { Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { problemOf } from "@smartcart/mesh";
import { parseConfig, silentLogger } from "@smartcart/runtime";
import { describeLostDatabase } from "@smartcart/testkit/suites";
import { inventoryConfig, startInventory } from "../src/index.ts";
import { createTestClient, newId } from "./support.ts";

const config = parseConfig({ INVENTORY_PORT: "0" }, inventoryConfig);
const lines = [{ productId: "copper-moka-pot", quantity: 1 }];
const request = { reservationId: newId(), lines };

describeLostDatabase({
  start: (databaseUrl) => startInventory({ config, databaseUrl, log: silentLogger }),
  async call(url) {
    using client = createTestClient(url);
    const { outcome } = await client.reserve(request);
    expect(outcome.case).toBe("reservation");
  },
  expectUnavailable(error) {
    expect(ConnectError.from(error).code).toBe(Code.Unavailable);
    expect(problemOf(error)).toMatchObject({ code: "STOCK_UNAVAILABLE", retryAfterMs: 1000 });
  },
});
