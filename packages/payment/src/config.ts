import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, port } from "@smartcart/runtime";

/** What the environment may say about the payment service. */
export const paymentConfig = {
  ...commonConfig,
  PAYMENT_PORT: port({ default: 8082, desc: "port of the payment service" }),
  PROVIDER_TIMEOUT_MS: int({
    default: 2000,
    desc: "time-out of calls to the payment provider, in milliseconds",
  }),
  PROVIDER_SLOW_MS: int({
    default: 1200,
    desc: "response time of the simulated provider for tok_slow, in milliseconds",
  }),
  PAYMENT_RESOLVE_AFTER_MS: int({
    default: 10_000,
    desc: "time that a payment stays PENDING before the service asks the provider again by itself, in milliseconds",
  }),
  PAYMENT_BATCH_PATIENCE_MS: int({
    default: 500,
    desc: "time that a batch waits for the provider's response to one of its items, in milliseconds",
  }),
};

/** The parsed configuration of the payment service. */
export type PaymentConfig = CleanedEnv<typeof paymentConfig>;
