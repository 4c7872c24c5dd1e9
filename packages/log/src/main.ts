/** The log service as a process of its own. */
import { runService } from "@smartcart/service";
import { logConfig } from "./config.ts";
import { startLog } from "./service.ts";

await runService({ name: "log", config: logConfig, start: startLog });
