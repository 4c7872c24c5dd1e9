import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { createFaultSwitch } from "@smartcart/mesh";
import type { Registry } from "@smartcart/runtime";
import { Counter } from "@smartcart/runtime";
import type { RunningService, ServiceContext, ServiceOptions } from "@smartcart/service";
import { startService } from "@smartcart/service";
import type { PaymentConfig } from "./config.ts";
import { paymentsUnavailable } from "./errors.ts";
import { createPaymentProcessor } from "./payment-processor.ts";
import type { PaymentProvider } from "./payment-provider.ts";
import { startPendingPaymentPoller } from "./pending-payment-poller.ts";
import { createPaymentRoutes } from "./routes.ts";
import { startSimulatedProvider } from "./simulated-provider/provider.ts";

/** What the payment service is built from; it keeps everything in its schema `payment`. */
export interface PaymentOptions extends Omit<ServiceOptions<PaymentConfig>, "bus"> {
  /** The payment provider. Default: the simulated provider, its ledger in schema `payment_provider`. */
  readonly provider?: PaymentProvider;
}

/** Brings the schema up to date, then serves. Disposing drains: calls under way finish, within a bound. */
export function startPayment(o: PaymentOptions): Promise<RunningService> {
  const { config, databaseUrl: url, log } = o;
  const unavailable = paymentsUnavailable;
  const definition = { name: "payment", portVariable: "PAYMENT_PORT", unavailable, ...o } as const;
  return startService(definition, async (context) => {
    const { metrics, stack, mapError } = context;
    const migrations = [{ name: "payment", directory: new URL("../migrations/", import.meta.url) }];
    const database = await context.openDatabase({ url, schema: "payment", migrations });
    const { provider, ...server } = o.provider
      ? { provider: o.provider }
      : await simulateProvider(o, context);
    const processor = stack.use(
      createPaymentProcessor({
        database,
        provider,
        providerTimeoutMs: config.PROVIDER_TIMEOUT_MS,
        log,
        onOutcome: countOutcomes(metrics),
      }),
    );
    const afterMs = config.PAYMENT_RESOLVE_AFTER_MS;
    stack.use(startPendingPaymentPoller({ database, processor, log, afterMs }));
    const batchPatienceMs = config.PAYMENT_BATCH_PATIENCE_MS;
    const routes = createPaymentRoutes({ processor, batchPatienceMs, log, mapError });
    return {
      ...server,
      services: [PaymentService],
      routes: (router) => router.service(PaymentService, routes),
    };
  });
}

/** The simulated provider, its readiness, and a switch that a real one could not have: to decline everything. */
async function simulateProvider(
  { config, databaseUrl, log }: PaymentOptions,
  { metrics, stack }: ServiceContext,
) {
  const decline = createFaultSwitch({ name: "decline", title: "Decline every new payment" });
  const provider = stack.use(
    await startSimulatedProvider({
      databaseUrl,
      slowMs: config.PROVIDER_SLOW_MS,
      isDeclining: () => decline.value() === 1,
      log,
      metrics,
    }),
  );
  return { provider, faultSwitches: [decline], checks: { provider: () => provider.check() } };
}

function countOutcomes(metrics: Registry): (outcome: string) => void {
  const outcomes = new Counter({
    name: "payment_outcomes_total",
    help: "Answers of the provider by what they made of the payment; UNKNOWN where none came in time",
    labelNames: ["outcome"],
    registers: [metrics],
  });
  return (outcome) => outcomes.inc({ outcome });
}
