import type { FieldViolation } from "../validation/field-violation.ts";

/** A text is not JSON in UTF-8. The message is that of the parser. */
export class MalformedJsonError extends Error {
  override readonly name = "MalformedJsonError";
}

/** A message is not what the contract says, field by field. */
export class InvalidMessageError extends Error {
  /** All that are wrong; there is at least one. */
  readonly violations: readonly FieldViolation[];

  constructor(violations: readonly FieldViolation[], options?: ErrorOptions) {
    super(violations.map(({ field, message }) => `${field}: ${message}`).join("; "), options);
    this.name = "InvalidMessageError";
    this.violations = violations;
  }
}
