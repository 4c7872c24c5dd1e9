import { expect, it } from "vitest";
import { createTestDatabase, freePorts, spawnPart } from "@smartcart/testkit";
import { createTestClient } from "./support.ts";

const main = "packages/inventory/src/main.ts";

it("serves as a process of its own until it is told to stop", async () => {
  await using database = await createTestDatabase();
  const [port] = await freePorts(1);
  await using part = spawnPart({
    args: [main],
    env: { DATABASE_URL: database.url, INVENTORY_PORT: String(port) },
  });
  const url = `http://127.0.0.1:${port}`;
  await part.answers(`${url}/readyz`);
  {
    using client = createTestClient(url);
    const { products } = await client.listProducts({ pageSize: 1 });
    expect(products).toHaveLength(1);
  }
  part.kill("SIGTERM");
  expect(await part.exited).toBe(0);
});

it("names every variable that it cannot use", async () => {
  await using part = spawnPart({
    args: [main],
    env: { INVENTORY_PORT: "http", RESERVATION_TTL_MS: "soon" },
  });
  expect(await part.exited).toBe(1);
  expect(part.errorOutput()).toMatch(/^INVENTORY_PORT: /m);
  expect(part.errorOutput()).toMatch(/^RESERVATION_TTL_MS: /m);
});
