export { createBatcher, type PendingResult, rejectAll, settleEach } from "./batcher.ts";
export {
  clientAddress,
  loopbackProxies,
  networkOf,
  parseTrustedProxies,
  type TrustedProxies,
} from "./client-address.ts";
export { commonConfig, stateDirectory } from "./common-config.ts";
export type { CleanedEnv } from "./config.ts";
export { ConfigError, parseConfig } from "./config.ts";
export { createHolders, type Holders } from "./holders.ts";
export { createHostCheck, hostName, isLocalName } from "./host-check.ts";
export type { MainContext } from "./lifecycle.ts";
export { runMain } from "./lifecycle.ts";
export type { LogFields, Logger, LogLine, LogSink, RootLogger } from "./logger.ts";
export { createLogger, silentLogger } from "./logger.ts";
export { isLoopback, serverUrl } from "./loopback.ts";
export { Counter, createMetrics, Gauge, Histogram, Registry } from "./metrics.ts";
export { onOneLine } from "./on-one-line.ts";
export { type OutputStream, writeOutput } from "./output.ts";
export { createPool, type Pool } from "./pool.ts";
export { withDerivedPorts } from "./port-base.ts";
export { processExists } from "./process-exists.ts";
export type { RetryOptions } from "./retry.ts";
export { delay, reasonOf, retryUntilReady, StartError } from "./retry.ts";
export { concealSecrets } from "./secrets.ts";
export { pageHeaders, securityHeaders, setSecurityHeaders } from "./security-headers.ts";
export { createSemaphore, type Semaphore, type SemaphoreOptions } from "./semaphore.ts";
export { serializeError } from "./serialize-error.ts";
export { networkFaults, remedyFor, type StartFault } from "./start-faults.ts";
export { createSubscriptions, type Subscriptions } from "./subscriptions.ts";
export {
  currentTraceId,
  currentTraceparent,
  startTelemetry,
  withSpan,
} from "./telemetry.ts";
export { createThrottle } from "./throttle.ts";
export type { Timer } from "./timer.ts";
export { startTimer } from "./timer.ts";
export { timerMs } from "./timer-bounds.ts";
export {
  createTokenBucket,
  createTokenBuckets,
  type TokenBucket,
  type TokenBuckets,
} from "./token-bucket.ts";
export { bool, host, int, names, num, port, proxies, secret, str, url } from "./validators.ts";
export { createWakeSignal, type WakeSignal } from "./wake-signal.ts";
export { timedOut, untilAborted, withTimeout } from "./with-timeout.ts";
