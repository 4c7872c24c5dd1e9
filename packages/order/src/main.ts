/** The order service as a process of its own. */
import { runService } from "@smartcart/service";
import { parseOrderConfig } from "./config.ts";
import { startOrder } from "./service.ts";

await runService({
  name: "order",
  parseConfig: parseOrderConfig,
  start: (o) =>
    startOrder({
      ...o,
      peers: {
        inventory: { baseUrl: o.config.INVENTORY_URL },
        payment: { baseUrl: o.config.PAYMENT_URL },
        shipping: { baseUrl: o.config.SHIPPING_URL },
      },
    }),
});
