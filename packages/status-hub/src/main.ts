/** The status hub as a process of its own. */
import { runService } from "@smartcart/service";
import { statusHubConfig } from "./config.ts";
import { startStatusHub } from "./service.ts";

await runService({
  name: "status-hub",
  config: statusHubConfig,
  // The hub itself keeps nothing: the database is needed only where it is the queue.
  needsDatabase: false,
  start: (o) => startStatusHub({ ...o, peers: { order: { baseUrl: o.config.ORDER_URL } } }),
});
