/** The operator's service as a process of its own. */
import { runService } from "@smartcart/service";
import { parseOpsConfig } from "./config.ts";
import { addressesOf } from "./instance-addresses.ts";
import { startOps } from "./service.ts";

await runService({
  name: "ops",
  parseConfig(env) {
    const config = parseOpsConfig(env);
    addressesOf(config);
    return config;
  },
  start: (o) => startOps({ ...o, services: addressesOf(o.config) }),
});
