import { randomUUID } from "node:crypto";
import { vi } from "vitest";
import type { Payment } from "@smartcart/gen/payment/v1/payment_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { ServiceClient } from "@smartcart/mesh";
import { createServiceClient, problemOf } from "@smartcart/mesh";
import { parseConfig, silentLogger } from "@smartcart/runtime";
import type { RunningService } from "@smartcart/service";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import type { PaymentProvider } from "../src/index.ts";
import { paymentConfig, startPayment } from "../src/index.ts";

/** A real service on a real database of its own, with clients as other services have them. */
export interface TestPayment extends AsyncDisposable {
  readonly url: string;
  readonly databaseUrl: string;
  readonly service: RunningService;
  readonly client: ServiceClient<typeof PaymentService>;
  readonly sql: Database;
  /** Starts one more process' worth of the service on the same database. */
  addReplica(): Promise<TestReplica>;
}

export interface TestReplica {
  readonly service: RunningService;
  readonly client: ServiceClient<typeof PaymentService>;
}

export async function startTestPayment(
  env: Record<string, string> = {},
  provider?: PaymentProvider,
): Promise<TestPayment> {
  await using starting = new AsyncDisposableStack();
  const { url: databaseUrl } = starting.use(await createTestDatabase());
  const config = parseConfig({ PAYMENT_PORT: "0", ...env }, paymentConfig);
  const sql = starting.use(
    createDatabase({ url: databaseUrl, schema: "payment", log: silentLogger }),
  );
  const replicas = starting.use(new AsyncDisposableStack());

  async function addReplica(): Promise<TestReplica> {
    const service = replicas.use(
      await startPayment({ config, databaseUrl, log: silentLogger, ...(provider && { provider }) }),
    );
    return { service, client: replicas.use(createTestClient(service.url)) };
  }

  const { service, client } = await addReplica();
  const running = starting.move();
  return {
    url: service.url,
    databaseUrl,
    service,
    client,
    sql,
    addReplica,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export function createTestClient(baseUrl: string): ServiceClient<typeof PaymentService> {
  return createServiceClient(PaymentService, { caller: "order", baseUrl, log: silentLogger });
}

/** A charge of $12.50 for a new order. */
export function newCharge(paymentToken = "") {
  return {
    orderId: `ORD-${randomUUID()}`,
    userId: "u1",
    amount: { currencyCode: "USD", minorUnits: 1250n },
    paymentToken,
  };
}

/** Charges an order as its service does: as long as the outcome is unknown, it asks again with the same id. */
export async function processUntilKnown(
  client: ServiceClient<typeof PaymentService>,
  charge: ReturnType<typeof newCharge>,
): Promise<Payment | undefined> {
  for (;;) {
    try {
      return (await client.processPayment(charge)).payment;
    } catch (error) {
      if (problemOf(error)?.code !== "PAYMENT_OUTCOME_UNKNOWN") throw error;
    }
  }
}

/** The provider's books on an order: what was taken and given back, in order. */
export async function ledgerOf(sql: Database, orderId: string): Promise<string[]> {
  const { rows } = await sql.query<{ entry: string }>({
    text: `SELECT kind || ' ' || amount_minor AS entry FROM payment_provider.ledger_entry
      WHERE charge_id = $1 ORDER BY entry_id`,
    values: [orderId],
  });
  return rows.map((row) => row.entry);
}

/** Waits until the assertion holds. */
export function eventually(assertion: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(assertion, { timeout: 10_000, interval: 10 });
}
