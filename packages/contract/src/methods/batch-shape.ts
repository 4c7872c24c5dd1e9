import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { ItemErrorSchema } from "@smartcart/gen/type/v1/problem_pb";

/** How a batch method is taken apart, found out once. */
export interface BatchShape {
  readonly batch: DescMethod;
  /** The oneof of a result that is either `response` or `error`. */
  readonly oneof: string;
}

/**
 * The shape of a batch method, held against what `BatchPolicy` says of it.
 * @throws Error where the contract contradicts itself, so that it fails at start.
 */
export function batchShapeOf(method: DescMethod, batchName: string): BatchShape {
  const wrong = (what: string) =>
    new Error(`${method.parent.typeName}: ${batchName} cannot batch ${method.name}: ${what}`);
  const batch = method.parent.methods.find((candidate) => candidate.name === batchName);
  if (batch?.methodKind !== "unary") {
    throw wrong("there is no such unary method");
  }
  if (listedMessage(batch.input, "requests") !== method.input) {
    throw wrong(`its request needs "repeated ${method.input.name} requests"`);
  }
  const result = listedMessage(batch.output, "results");
  const response = fieldOf(result, "response");
  const error = fieldOf(result, "error");
  const oneof = response?.oneof;
  if (
    response?.message !== method.output ||
    error?.message?.typeName !== ItemErrorSchema.typeName ||
    oneof === undefined ||
    oneof !== error.oneof
  ) {
    throw wrong(
      `its results need a oneof of "${method.output.name} response" and "ItemError error"`,
    );
  }
  return { batch, oneof: oneof.localName };
}

function fieldOf(message: DescMessage | undefined, name: string): DescField | undefined {
  return message?.fields.find((field) => field.name === name);
}

function listedMessage(message: DescMessage, name: string): DescMessage | undefined {
  const field = fieldOf(message, name);
  return field?.fieldKind === "list" ? field.message : undefined;
}
