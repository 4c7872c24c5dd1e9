import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { problemOf } from "@smartcart/mesh";
import { silentLogger } from "@smartcart/runtime";
import { createTestDatabase, freePorts, startForwarder } from "@smartcart/testkit";
import { parsePaymentConfig, startPayment } from "../src/index.ts";
import { createTestClient, errorOf, eventually, newCharge } from "./support.ts";

it("answers UNAVAILABLE while the database is away, and serves again when it is back", async () => {
  await using real = await createTestDatabase();
  const direct = new URL(real.url);
  const [port = 0] = await freePorts(1);
  const target = { host: direct.hostname, port: Number(direct.port || 5432) };
  const detour = new URL(real.url);
  detour.host = `127.0.0.1:${port}`;
  let forwarder = await startForwarder({ port, target });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => forwarder[Symbol.asyncDispose]());
  const service = stack.use(
    await startPayment({
      config: parsePaymentConfig({ PAYMENT_PORT: "0" }),
      databaseUrl: detour.href,
      log: silentLogger,
    }),
  );
  const client = stack.use(createTestClient(service.url));
  const charge = newCharge();

  await forwarder[Symbol.asyncDispose]();
  const error = await errorOf(client.processPayment(charge));
  expect(ConnectError.from(error).code).toBe(Code.Unavailable);
  expect(problemOf(error)).toMatchObject({ code: "PAYMENT_UNAVAILABLE", retryAfterMs: 1000 });
  expect((await fetch(`${service.url}/readyz`)).status).toBe(503);

  forwarder = await startForwarder({ port, target });
  await eventually(async () => {
    const { payment } = await client.processPayment(charge);
    expect(payment?.status).toBe(PaymentStatus.CAPTURED);
  });
});
