export { createAsyncApi } from "./asyncapi/asyncapi.ts";
export type { EventType, QueueType } from "./events/event-types.ts";
export {
  ContractError,
  eventTypeByRoutingKey,
  eventTypeOf,
  eventTypes,
  isMandatory,
  orderingKeyOf,
  protobufContentType,
  queueTypeOf,
  queueTypes,
  routingKeyOf,
} from "./events/event-types.ts";
export { readEvent } from "./events/read-event.ts";
export type { QueueDeclaration } from "./events/topology.ts";
export {
  deadLetterExchange,
  deadLetterQueue,
  eventsExchange,
  queueDeclarations,
  retryQueue,
  unroutedQueue,
} from "./events/topology.ts";
export { formatPath, joinName, jsonName, parseJsonPath, toJsonPath } from "./fields/field-path.ts";
export { findField, hasPlainJson, is64Bit, isWholeNumber } from "./fields/json-fields.ts";
export type { JsonSchema } from "./json-schema/json-schema.ts";
export { milestoneLabel } from "./labels/milestone-label.ts";
export type { BatchShape } from "./methods/batch-shape.ts";
export { batchShapeOf } from "./methods/batch-shape.ts";
export type { Policy } from "./methods/policy.ts";
export { batchTargets, policyOf } from "./methods/policy.ts";
export type { OpenApiInfo } from "./openapi/openapi.ts";
export { createOpenApi } from "./openapi/openapi.ts";
export type { FieldChain, RestHeader, RestRoute } from "./rest/rest-routes.ts";
export { jsonPathOf, resolveChain, restRoutes } from "./rest/rest-routes.ts";
export type { FieldViolation } from "./validation/field-violation.ts";
export { maxItemsOf } from "./validation/message-size.ts";
export { compileRules, validateMessage } from "./validation/validate.ts";
