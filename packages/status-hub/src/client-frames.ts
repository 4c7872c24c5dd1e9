import { InvalidMessageError, MalformedJsonError, readMessageJson } from "@smartcart/contract";
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

const example = `send {"subscribe":{"orderId":"ORD-…"}} or {"subscribe":{"userId":"…"}}`;

/** Reads a frame of a client: strict proto3 JSON as on REST, then the rules of the contract. */
export function parseClientFrame(text: string): ClientRequest | FrameProblem {
  try {
    const frame = readMessageJson(ClientFrameSchema, text);
    return toRequest(frame) ?? { problem: example, field: "" };
  } catch (error) {
    return problemOf(error);
  }
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

/** @throws what is no fault of the frame */
function problemOf(error: unknown): FrameProblem {
  if (error instanceof InvalidMessageError) {
    const [{ field, message } = { field: "", message: "is not valid" }] = error.violations;
    return { problem: `${field || "the frame"}: ${message}; ${example}`, field };
  }
  if (error instanceof MalformedJsonError)
    return { problem: `the frame is not JSON; ${example}`, field: "" };
  throw error;
}
