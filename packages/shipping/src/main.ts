/** The shipping service as a process of its own. */
import { runService } from "@smartcart/service";
import { parseShippingConfig } from "./config.ts";
import { startShipping } from "./service.ts";

await runService({ name: "shipping", parseConfig: parseShippingConfig, start: startShipping });
