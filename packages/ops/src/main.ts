/** The operator's service as a process of its own. */
import { runService } from "@smartcart/service";
import { requireTokenOrLoopback } from "./access.ts";
import { parseOpsConfig } from "./config.ts";
import { addressesOf } from "./instance-addresses.ts";
import { startOps } from "./service.ts";

await runService({
  name: "ops",
  parseConfig(env) {
    const config = parseOpsConfig(env);
    addressesOf(config);
    requireTokenOrLoopback(config.HOST, config.OPS_TOKEN);
    return config;
  },
  start: (o) => startOps({ ...o, services: addressesOf(o.config) }),
});
