import type { CleanedEnv } from "@smartcart/runtime";
import { commonConfig, int, num, port, str } from "@smartcart/runtime";

/** What the environment may say about the log service. */
export const logConfig = {
  ...commonConfig,
  LOG_PORT: port({ default: 8084, desc: "Port of the log service" }),
  LOG_RETENTION_DAYS: num({ default: 7, desc: "Days that log records are kept; fractions count" }),
  LOG_RETENTION_MB: num({
    default: 2048,
    desc: "Megabytes of log records that are kept, indexes included; the oldest go first",
  }),
  LOG_MAX_LINES_PER_SECOND: num({
    default: 5000,
    desc: "Log records that one process stores in a second, on average over ten; of more, those below a warning are dropped and counted",
  }),
  LOG_MAX_WATCHERS: int({ default: 100, desc: "Most streams that follow the log at once" }),
  CORS_ORIGINS: str({
    default: "",
    desc: "Origins of other sites whose pages may call, comma-separated",
  }),
};

/** The parsed configuration of the log service. */
export type LogConfig = CleanedEnv<typeof logConfig>;
