import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, num, port, str } from "@smartcart/runtime";

/** What the environment may say about the log service. */
export const logConfig = {
  ...commonConfig,
  LOG_PORT: port({ default: 8084, desc: "Port of the log service" }),
  LOG_RETENTION_DAYS: num({
    default: 7,
    desc: "Retention of log records in days; fractions are allowed",
  }),
  LOG_RETENTION_MB: num({
    default: 2048,
    desc: "Maximum size of the stored log records in megabytes, indexes included; the oldest are deleted first",
  }),
  LOG_MAX_LINES_PER_SECOND: num({
    default: 5000,
    desc: "Maximum number of log records that one process stores per second, averaged over 10 seconds; above it, records below WARN are dropped and counted",
  }),
  LOG_MAX_WATCHERS: int({ default: 100, desc: "Maximum number of open TailLogs streams" }),
  CORS_ORIGINS: str({
    default: "",
    desc: "Origins of other sites that may call the service from a browser (CORS), comma-separated",
  }),
};

/** The parsed configuration of the log service. */
export type LogConfig = CleanedEnv<typeof logConfig>;
