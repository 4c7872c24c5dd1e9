import type { Violation } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** A field that is not as it should be. */
export interface FieldViolation {
  /** The JSON path: "items[0].productId"; empty: the request as a whole. */
  readonly field: string;
  /** What is wrong with it, for people. */
  readonly message: string;
  /** Stable id of the rule; default "invalid". */
  readonly ruleId?: string;
  /** The violation as protovalidate found it, which RPC sends as it is. */
  readonly found?: Violation;
}
