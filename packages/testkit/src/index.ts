export { type ForwarderOptions, startForwarder } from "./forwarder.ts";
export { freePorts } from "./free-ports.ts";
export { isRunning, type ProcessInfo, processTree } from "./process-tree.ts";
export { commandsOptions, type PropertyOptions, propertyOptions } from "./properties.ts";
export { type CommandOptions, type CommandResult, runCommand } from "./run-command.ts";
export { compileCache, type SpawnedPart, type SpawnOptions, spawnPart } from "./spawn-part.ts";
export { type WaitOptions, waitFor } from "./wait-for.ts";
