/** The payment service as a process of its own. */
import { runService } from "@smartcart/service";
import { paymentConfig } from "./config.ts";
import { startPayment } from "./service.ts";

await runService({ name: "payment", config: paymentConfig, start: startPayment });
