export type { TestBroker } from "./broker-client.ts";
export { canTestRabbitmq, createTestBroker } from "./test-broker.ts";
