export type { DecodedDeadLetter } from "./dead-letter-decoder.ts";
export { decodeDeadLetter, namesUser } from "./dead-letter-decoder.ts";
export { createEvent } from "./event.ts";
export type { FaultInjectingBus } from "./fault-injection.ts";
export { createFaultInjectingBus } from "./fault-injection.ts";
export type { LogShipper, LogShipperOptions } from "./log-shipper.ts";
export { createLogShipper } from "./log-shipper.ts";
export { observeBus } from "./observed-bus.ts";
export type { BusOptions } from "./open-bus.ts";
export { openBus } from "./open-bus.ts";
export { insertOutbox, outboxMigrations, outboxWritten } from "./outbox.ts";
export { describeUrl } from "./rabbitmq/connection.ts";
export type { BrokerAdmin, QueueUse, ServiceUser } from "./rabbitmq/service-users.ts";
export { createServiceUsers } from "./rabbitmq/service-users.ts";
export type { Relay } from "./relay.ts";
export { startRelay } from "./relay.ts";
export type { RelayOptions } from "./relay-run.ts";
export type {
  ConsumeOptions,
  DeadLetter,
  DeadLetters,
  Delivery,
  EventBus,
  HandledResult,
  Outcome,
  OutgoingEvent,
  PublishOptions,
  PublishReport,
  RunningConsumer,
  SubscribeOptions,
} from "./types.ts";
