export { buildPage } from "./build-page.ts";
export { parseSmartCartConfig } from "./config.ts";
export { type RunningSmartCart, type SmartCartOptions, startSmartCart } from "./start-smartcart.ts";
