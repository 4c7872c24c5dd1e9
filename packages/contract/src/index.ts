export type { AccessRule, CustomerRule } from "./access/access-rule.ts";
export {
  accessOf,
  assertBatchAccess,
  describeAccess,
  frameAccessOf,
  serviceNames,
  weakenings,
} from "./access/access-rule.ts";
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
export { parseJsonPath, toJsonPath } from "./fields/field-path.ts";
export { findField, hasPlainJson, isWholeNumber } from "./fields/json-fields.ts";
export { describeExpected } from "./json/expected-json.ts";
export { InvalidMessageError, MalformedJsonError } from "./json/json-errors.ts";
export { parseExactJson } from "./json/json-text.ts";
export { readMessageJson } from "./json/message-json.ts";
export type { JsonObject } from "./json/strict-json.ts";
export { readJson } from "./json/strict-json.ts";
export type { JsonSchema } from "./json-schema/json-schema.ts";
export { milestoneLabel } from "./labels/milestone-label.ts";
export type { BatchShape } from "./methods/batch-shape.ts";
export { batchShapeOf } from "./methods/batch-shape.ts";
export type { Policy } from "./methods/policy.ts";
export { batchTargets, policyOf } from "./methods/policy.ts";
export type { OpenApiInfo } from "./openapi/openapi.ts";
export { createOpenApi } from "./openapi/openapi.ts";
export type { MethodProblems } from "./openapi/problem-responses.ts";
export { isRedacted, redact, redactedText } from "./redaction/redact.ts";
export type { TextRedactor, TypedMessage } from "./redaction/redact-text.ts";
export { redactError, textRedactor } from "./redaction/redact-text.ts";
export { redactionFaults } from "./redaction/redaction-rules.ts";
export type { FieldChain, RestHeader, RestRoute } from "./rest/rest-routes.ts";
export { jsonPathOf, resolveChain, restRoutes } from "./rest/rest-routes.ts";
export type { FieldViolation } from "./validation/field-violation.ts";
export { assertItemCounts } from "./validation/item-counts.ts";
export { compileRules, validateMessage } from "./validation/validate.ts";
