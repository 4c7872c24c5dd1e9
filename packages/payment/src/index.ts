export type { PaymentConfig } from "./config.ts";
export { paymentConfig } from "./config.ts";
export type { ChargeResult, Money, PaymentProvider, RefundResult } from "./payment-provider.ts";
export type { PaymentOptions } from "./service.ts";
export { startPayment } from "./service.ts";
