export type { TestBroker } from "./test-broker.ts";
export { canTestRabbitmq, createTestBroker } from "./test-broker.ts";
