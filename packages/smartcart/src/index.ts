export { parseSmartCartConfig } from "./config.ts";
export {
  type RunningSmartCart,
  type SmartCartOptions,
  startSmartCart,
} from "./up/start-smartcart.ts";
export { buildPage } from "./web/build-page.ts";
