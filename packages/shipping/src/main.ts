/** The shipping service as a process of its own. */
import { runService } from "@smartcart/service";
import { shippingConfig } from "./config.ts";
import { startShipping } from "./service.ts";

await runService({ name: "shipping", config: shippingConfig, start: startShipping });
