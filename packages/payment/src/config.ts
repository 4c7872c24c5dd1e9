import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, port } from "@smartcart/runtime";

/** What the environment may say about the payment service. */
export const paymentConfig = {
  ...commonConfig,
  PAYMENT_PORT: port({ default: 8082, desc: "port of the payment service" }),
  PROVIDER_TIMEOUT_MS: int({
    default: 2000,
    desc: "how long the provider may take to answer, in milliseconds",
  }),
  PROVIDER_SLOW_MS: int({
    default: 1200,
    desc: "how late the simulated provider answers to tok_slow, in milliseconds",
  }),
  PAYMENT_RESOLVE_AFTER_MS: int({
    default: 10_000,
    desc: "how long a payment stays PENDING before the provider is asked without being told to, in milliseconds",
  }),
  PAYMENT_BATCH_PATIENCE_MS: int({
    default: 500,
    desc: "how long a batch waits for the provider's answer to one of its items, in milliseconds",
  }),
};

/** The parsed configuration of the payment service. */
export type PaymentConfig = CleanedEnv<typeof paymentConfig>;
