export type { ShippingConfig } from "./config.ts";
export { shippingConfig } from "./config.ts";
export type { ShippingOptions } from "./service.ts";
export { startShipping } from "./service.ts";
