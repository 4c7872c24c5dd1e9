/** The order service as a process of its own. */
import { runService } from "@smartcart/service";
import { orderConfig } from "./config.ts";
import { startOrder } from "./service.ts";

await runService({
  name: "order",
  config: orderConfig,
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
