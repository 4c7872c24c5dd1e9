import { expect, it } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { createTestDatabase, freePorts, spawnPart } from "@smartcart/testkit";
import { createTestClient, newCharge } from "./support.ts";

const main = "packages/payment/src/main.ts";

it("serves as a process of its own until it is told to stop", async () => {
  await using database = await createTestDatabase();
  const [port] = await freePorts(1);
  await using part = spawnPart({
    args: [main],
    env: { DATABASE_URL: database.url, PAYMENT_PORT: String(port) },
  });
  const url = `http://127.0.0.1:${port}`;
  await part.answers(`${url}/readyz`);
  {
    using client = createTestClient(url);
    const { payment: answer } = await client.processPayment(newCharge());
    expect(answer?.status).toBe(PaymentStatus.CAPTURED);
  }
  part.kill("SIGTERM");
  expect(await part.exited).toBe(0);
});

it("names every variable that it cannot use", async () => {
  await using part = spawnPart({
    args: [main],
    env: { PAYMENT_PORT: "http", PROVIDER_TIMEOUT_MS: "soon" },
  });
  expect(await part.exited).toBe(1);
  expect(part.errorOutput()).toMatch(/^PAYMENT_PORT: /m);
  expect(part.errorOutput()).toMatch(/^PROVIDER_TIMEOUT_MS: /m);
});
