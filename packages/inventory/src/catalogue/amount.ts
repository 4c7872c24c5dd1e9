/** Amounts of money as people write them: "14.50". */

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** Whether ISO 4217 has the code. */
export function isCurrency(code: string): boolean {
  return currencies.has(code);
}

/**
 * Reads an amount: digits, and after a point at most as many as the currency has. Answers minor units, or what is wrong with the text.
 * The currency must be one of ISO 4217.
 */
export function parseAmount(
  text: string,
  currencyCode: string,
): { readonly minor: bigint } | { readonly problem: string } {
  const [, whole, fraction = ""] = /^(\d{1,12})(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === undefined) {
    return {
      problem: `"${excerpt(text)}" is not an amount such as 14.50: digits, a point, digits`,
    };
  }
  const digits = fractionDigitsOf(currencyCode);
  if (fraction.length > digits) {
    return {
      problem: `"${excerpt(text)}" has too many decimal places: ${currencyCode} has ${digits}`,
    };
  }
  return { minor: BigInt(whole + fraction.padEnd(digits, "0")) };
}

/** Writes an amount so that {@link parseAmount} reads it. */
export function formatAmount(minor: bigint, currencyCode: string): string {
  const digits = fractionDigitsOf(currencyCode);
  const text = minor.toString().padStart(digits + 1, "0");
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** The beginning of a text, for a message. */
export function excerpt(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

const digitsOf = new Map<string, number>();

/** Decimal places of a currency's amounts: 2 for USD, 0 for JPY. */
function fractionDigitsOf(currencyCode: string): number {
  let digits = digitsOf.get(currencyCode);
  if (digits === undefined) {
    const format = new Intl.NumberFormat("en", { style: "currency", currency: currencyCode });
    digits = format.resolvedOptions().maximumFractionDigits ?? 2;
    digitsOf.set(currencyCode, digits);
  }
  return digits;
}
