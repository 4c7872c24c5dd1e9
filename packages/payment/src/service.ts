import type { Transport } from "@connectrpc/connect";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { createFaultSwitch, startServer } from "@smartcart/mesh";
import type { Logger, Registry, RunningService } from "@smartcart/runtime";
import { Counter, createMetrics } from "@smartcart/runtime";
import { createDatabase, migrate } from "@smartcart/store";
import type { PaymentConfig } from "./config.ts";
import { createPaymentProcessor } from "./payment-processor.ts";
import type { PaymentProvider } from "./payment-provider.ts";
import { startPendingPaymentPoller } from "./pending-payment-poller.ts";
import { createPaymentRoutes } from "./routes.ts";
import { startSimulatedProvider } from "./simulated-provider/provider.ts";

/** What the payment service is built from. */
export interface PaymentOptions {
  readonly config: PaymentConfig;
  /** A PostgreSQL 15 or later; the service keeps everything in its schema `payment`. */
  readonly databaseUrl: string;
  readonly log: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Registry;
  /** Who moves the money. Default: the simulated provider, its ledger in schema `payment_provider`. */
  readonly provider?: PaymentProvider;
}

/** A running payment service. */
export interface RunningPayment extends RunningService {
  readonly port: number;
  /** Calls this service in process, through the interceptors of its server. */
  readonly transport: Transport;
}

/** Brings the schema up to date, then serves. Disposing drains: calls under way finish, within a bound. */
export async function startPayment(o: PaymentOptions): Promise<RunningPayment> {
  const { config, log, metrics = createMetrics("payment") } = o;
  // What was started is undone in reverse order: by a failed start at once, else when the service is disposed.
  await using starting = new AsyncDisposableStack();
  const database = starting.use(
    createDatabase({ url: o.databaseUrl, schema: "payment", log, metrics }),
  );
  await migrate(database, {
    name: "payment",
    directory: new URL("../migrations/", import.meta.url),
  });
  const decline = createFaultSwitch({ name: "decline", title: "Decline every new payment" });
  const simulated =
    o.provider === undefined
      ? starting.use(
          await startSimulatedProvider({
            databaseUrl: o.databaseUrl,
            slowMs: config.PROVIDER_SLOW_MS,
            isDeclining: () => decline.value() === 1,
            log,
            metrics,
          }),
        )
      : undefined;
  const provider = o.provider ?? (simulated as PaymentProvider);
  const outcomes = new Counter({
    name: "payment_outcomes_total",
    help: "Answers of the provider by what they made of the payment; UNKNOWN where none came in time",
    labelNames: ["outcome"],
    registers: [metrics],
  });
  const processor = starting.use(
    createPaymentProcessor({
      database,
      provider,
      providerTimeoutMs: config.PROVIDER_TIMEOUT_MS,
      log,
      onOutcome: (outcome) => outcomes.inc({ outcome }),
    }),
  );
  starting.use(
    startPendingPaymentPoller({
      database,
      processor,
      log,
      afterMs: config.PAYMENT_RESOLVE_AFTER_MS,
    }),
  );
  const routes = createPaymentRoutes({
    processor,
    batchPatienceMs: config.PAYMENT_BATCH_PATIENCE_MS,
    log,
  });
  const server = starting.use(
    await startServer({
      name: "payment",
      port: config.PAYMENT_PORT,
      portVariable: "PAYMENT_PORT",
      host: config.HOST,
      allowedHosts: config.ALLOWED_HOSTS,
      trustedProxies: config.TRUSTED_PROXIES,
      services: [PaymentService],
      routes: (router) => router.service(PaymentService, routes),
      log,
      metrics,
      meshSecret: config.MESH_SECRET,
      // A real provider cannot be told to decline.
      faultSwitches: config.SMARTCART_DEMO ? [...(simulated ? [decline] : [])] : undefined,
      checks: {
        database: () => database.ping(),
        ...(simulated && { provider: () => simulated.check() }),
      },
    }),
  );
  const running = starting.move();
  return {
    name: "payment",
    url: server.url,
    port: server.port,
    transport: server.transport,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
