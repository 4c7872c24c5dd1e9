export { DirectoryInUseError, lockDirectory } from "./data-directory.ts";
export { freePorts, isListening } from "./ports.ts";
export type { EmbeddedPostgres, EmbeddedPostgresOptions } from "./postgresql/embedded-postgres.ts";
export {
  findEmbeddedPostgres,
  removeEmbeddedPostgres,
  startEmbeddedPostgres,
} from "./postgresql/embedded-postgres.ts";
export { findRabbitmq } from "./rabbitmq/installation.ts";
export type { PrivateBroker, PrivateBrokerOptions } from "./rabbitmq/private-broker.ts";
export { startPrivateBroker } from "./rabbitmq/private-broker.ts";
export { makeStateDirectory } from "./state-directory.ts";
export { startSupervisedProcess } from "./supervised-process.ts";
