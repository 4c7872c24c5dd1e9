export type { ShippingConfig } from "./config.ts";
export { parseShippingConfig, shippingConfig } from "./config.ts";
export type { ShippingOptions } from "./service.ts";
export { startShipping } from "./service.ts";
