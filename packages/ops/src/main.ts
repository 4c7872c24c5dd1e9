/** The operator's service as a process of its own. */
import { runService } from "@smartcart/service";
import { requireTokenOrLoopback } from "./access.ts";
import { opsConfig } from "./config.ts";
import { addressesOf } from "./instance-addresses.ts";
import { startOps } from "./service.ts";

await runService({
  name: "ops",
  config: opsConfig,
  check(config) {
    addressesOf(config);
    requireTokenOrLoopback(config.HOST, config.OPS_TOKEN);
  },
  start: (o) => startOps({ ...o, services: addressesOf(o.config) }),
});
