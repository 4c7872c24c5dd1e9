import { expect } from "vitest";
import { describeServiceProcess } from "@smartcart/testkit/suites";
import { createTestClient } from "./support.ts";

describeServiceProcess({
  main: "packages/inventory/src/main.ts",
  portVariable: "INVENTORY_PORT",
  numberVariable: "RESERVATION_TTL_MS",
  async call(url) {
    using client = createTestClient(url);
    const { products } = await client.listProducts({ pageSize: 1 });
    expect(products).toHaveLength(1);
  },
});
