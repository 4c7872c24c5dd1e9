import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import type { Passages } from "@smartcart/runtime";

/** Notes the orders that a call was about. `answer` is undefined where it failed. */
export type NotePassages = (request: unknown, answer: unknown, failed: boolean) => void;

type Fields = Readonly<Record<string, unknown>>;

/** Fields that hold the id of an order; a reservation has that of its order. */
const idFields = ["order_id", "reservation_id"];

/** The part that serves a service: "inventory" for "smartcart.inventory.v1.InventoryService". */
export function partOf(typeName: string): string {
  return /^smartcart\.(\w+)\.v\d+\./.exec(typeName)?.[1] ?? typeName;
}

/**
 * Finds out once where a method's messages name their orders: in the request, in the items of a batch, or in the answer.
 * Undefined where they do not, and for methods that only read: an order does not move by being looked at.
 */
export function createPassageNoter(
  method: DescMethod,
  passages: Passages,
  { from, to }: { readonly from: string; readonly to: string },
): NotePassages | undefined {
  if (method.methodKind !== "unary" || method.idempotency === Level.NO_SIDE_EFFECTS) {
    return undefined;
  }
  const note = (id: unknown, failed: boolean) => {
    if (typeof id === "string" && id !== "") {
      passages.note(id, from, to, failed);
    }
  };
  const inRequest = readerOf(method.input);
  if (inRequest !== undefined) {
    return (request, _answer, failed) => note(inRequest(request), failed);
  }
  const item = itemsOf(method.input, "requests");
  const inItem = item && readerOf(item);
  if (inItem !== undefined) {
    return (request, answer, failed) =>
      noteItems(request, answer, (one, itemFailed) => note(inItem(one), failed || itemFailed));
  }
  const inAnswer = readerOf(method.output) ?? readerThrough(method.output);
  return inAnswer && ((_request, answer, failed) => note(inAnswer(answer), failed));
}

/** Items of a batch that are noted: as many as the longest batch of the contract has. */
const maxNoted = 256;

function noteItems(
  request: unknown,
  answer: unknown,
  note: (item: unknown, failed: boolean) => void,
): void {
  const items = (request as { requests?: readonly unknown[] }).requests ?? [];
  const results = (answer as { results?: readonly Fields[] } | undefined)?.results ?? [];
  // A batch that is refused for its length is not looked through.
  for (const [index, item] of items.slice(0, maxNoted).entries()) {
    const outcome = Object.values(results[index] ?? {}).find(isOneof);
    note(item, outcome?.case === "error");
  }
}

function isOneof(value: unknown): value is { case: string } {
  return typeof value === "object" && value !== null && "case" in value;
}

/** Reads the id of a message that names its order itself. */
function readerOf(message: DescMessage): ((value: unknown) => unknown) | undefined {
  const field = message.fields.find(({ name }) => idFields.includes(name));
  return field && ((value) => (value as Fields | undefined)?.[field.localName]);
}

/** Reads the id of an order, payment or the like that a message holds. */
function readerThrough(message: DescMessage): ((value: unknown) => unknown) | undefined {
  for (const field of message.fields) {
    const inner = field.fieldKind === "message" ? readerOf(field.message) : undefined;
    if (inner !== undefined) {
      return (value) => inner((value as Fields | undefined)?.[field.localName]);
    }
  }
  return undefined;
}

function itemsOf(message: DescMessage, name: string): DescMessage | undefined {
  const field: DescField | undefined = message.fields.find((one) => one.name === name);
  return field?.fieldKind === "list" ? field.message : undefined;
}
