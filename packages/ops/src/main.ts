/** The ops service as a process of its own. */
import { runService } from "@smartcart/service";
import { opsConfig } from "./config.ts";
import { addressesOf } from "./instance-addresses.ts";
import { startOps } from "./service.ts";

await runService({
  name: "ops",
  config: opsConfig,
  check(config) {
    addressesOf(config);
  },
  start: (o) => startOps({ ...o, services: addressesOf(o.config) }),
});
