import type { Violation } from "../api/problem.ts";

/** What is wrong with the form, each at its place. */
export interface FieldErrors {
  readonly userId?: string;
  readonly address?: string;
  readonly paymentToken?: string;
  /** By position of the basket line. */
  readonly items: ReadonlyMap<number, string>;
  /** What has no place in the form. */
  readonly other: readonly string[];
}

export const noFieldErrors: FieldErrors = { items: new Map(), other: [] };

/** Puts each violation of a problem document at the field of the form that it names: "items[2].quantity" at line 2. */
export function placeViolations(violations: readonly Violation[]): FieldErrors {
  const fields: { userId?: string; address?: string; paymentToken?: string } = {};
  const items = new Map<number, string>();
  const other: string[] = [];
  for (const { field, message } of violations) {
    const line = /^items\[(\d+)\]/.exec(field)?.[1];
    if (line !== undefined) items.set(Number(line), sentence(message));
    else if (field === "userId" || field === "address" || field === "paymentToken") {
      fields[field] ??= sentence(message);
    } else other.push(field ? `${field}: ${message}` : sentence(message));
  }
  return { ...fields, items, other };
}

/** What the form itself can tell without asking: in plainer words than the contract has. */
export function checkForm(form: {
  readonly userId: string;
  readonly address: string;
}): FieldErrors {
  return {
    ...noFieldErrors,
    ...(form.userId.trim() === "" && { userId: "Enter your name." }),
    ...(form.address.trim() === "" && { address: "Enter the delivery address." }),
  };
}

export function hasFieldErrors(errors: FieldErrors): boolean {
  const { userId, address, paymentToken, items, other } = errors;
  return Boolean(userId || address || paymentToken || items.size > 0 || other.length > 0);
}

function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
