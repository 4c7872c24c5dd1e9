import type { JsonValue } from "@bufbuild/protobuf";
import { fromJson } from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import type { Violation } from "@bufbuild/protovalidate";
import { createValidator } from "@bufbuild/protovalidate";
import type { ClientFrame } from "@smartcart/gen/status/v1/frames_pb";
import { ClientFrameSchema } from "@smartcart/gen/status/v1/frames_pb";

/** What a client asks for. */
export interface ClientRequest {
  readonly kind: "subscribe" | "unsubscribe";
  readonly target: Target;
  /** Send only what came after this. */
  readonly afterSequence: number;
}

/** What can be followed. */
export type Target =
  | { readonly kind: "order"; readonly orderId: string }
  | { readonly kind: "user"; readonly userId: string };

/** Why a frame cannot be understood. */
export interface FrameProblem {
  /** What is wrong and what to do. */
  readonly problem: string;
  /** JSON path of the field; empty: the frame as a whole. */
  readonly field: string;
}

const EXAMPLE = `send {"subscribe":{"orderId":"ORD-…"}} or {"subscribe":{"userId":"…"}}`;
const validator = createValidator();

/** Reads a frame of a client: strict proto3 JSON, then the rules of the contract. */
export function parseClientFrame(text: string): ClientRequest | FrameProblem {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch {
    return { problem: `the frame is not JSON; ${EXAMPLE}`, field: "" };
  }
  let frame: ClientFrame;
  try {
    frame = fromJson(ClientFrameSchema, json);
  } catch (error) {
    return { problem: `${reasonOf(error)}; ${EXAMPLE}`, field: fieldOf(error) };
  }
  const result = validator.validate(ClientFrameSchema, frame);
  const [violation] = result.violations ?? [];
  if (violation) return { problem: `${violation.message}; ${EXAMPLE}`, field: pathOf(violation) };
  return toRequest(frame) ?? { problem: EXAMPLE, field: "" };
}

function toRequest({ frame }: ClientFrame): ClientRequest | undefined {
  const target = frame.value?.target;
  if (frame.case === undefined || target?.case === undefined) return undefined;
  return {
    kind: frame.case,
    afterSequence: frame.value.afterSequence,
    target:
      target.case === "orderId"
        ? { kind: "order", orderId: target.value }
        : { kind: "user", userId: target.value },
  };
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // The schema's full name says nothing to who writes JSON.
  return message.replace(/^cannot decode (message|field) \S+ from JSON: /, "");
}

function fieldOf(error: unknown): string {
  const unknownKey = /key "(.*)" is unknown$/.exec(error instanceof Error ? error.message : "");
  if (unknownKey?.[1] !== undefined) return unknownKey[1];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isFieldError(cause)) {
      const field = cause.field();
      return "jsonName" in field ? field.jsonName : "";
    }
  }
  return "";
}

function pathOf({ field }: Violation): string {
  return field.flatMap((element) => (element.kind === "field" ? [element.jsonName] : [])).join(".");
}
