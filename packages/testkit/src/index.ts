export {
  findRabbitmq,
  freePorts,
  type PrivateBroker,
  startPrivateBroker,
} from "@smartcart/engines";
export { hasExited, terminate, untilAnswers } from "./child-process.ts";
export { namesOf, parseValues, UsageError, wholeNumber } from "./command-line.ts";
export { cpuMsOf } from "./cpu-time.ts";
export { createDetachableDatabase, type DetachableDatabase } from "./detachable-database.ts";
export { errorOf } from "./error-of.ts";
export { type ForwarderOptions, startForwarder } from "./forwarder.ts";
export { createLocaleDatabase } from "./locale-database.ts";
export { skipPgBouncer, startPgBouncer } from "./pgbouncer.ts";
export { isRunning, type ProcessInfo, processTree } from "./process-tree.ts";
export { commandsOptions, type PropertyOptions, propertyOptions } from "./properties.ts";
export { readExamples, runExample } from "./readme-example.ts";
export { type CommandOptions, type CommandResult, runCommand } from "./run-command.ts";
export { runTool, type Tool } from "./run-tool.ts";
export {
  compileCache,
  type SpawnedService,
  type SpawnOptions,
  spawnService,
} from "./spawn-service.ts";
export { makeTemporaryDirectory, type TemporaryDirectory } from "./temporary-directory.ts";
export { canTestRabbitmq, createTestBroker, type TestBroker } from "./test-broker.ts";
export { createTestDatabase, type TestDatabase } from "./test-database.ts";
export { addVirtualHost } from "./virtual-host.ts";
export { type WaitOptions, waitFor } from "./wait-for.ts";
