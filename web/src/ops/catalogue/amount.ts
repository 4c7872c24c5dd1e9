/** Amounts of money as people type them: "14.50". */

/** Reads an amount as minor units; undefined for anything else, or with more decimal places than the currency has. */
export function parseAmount(text: string, currencyCode: string): bigint | undefined {
  const digits = decimalPlacesOf(currencyCode);
  const [, whole, fraction = ""] = /^(\d{1,12})(?:\.(\d+))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || fraction.length > digits) return undefined;
  return BigInt(whole + fraction.padEnd(digits, "0"));
}

/** Writes an amount so that {@link parseAmount} reads it. */
export function amountText(minorUnits: bigint, currencyCode: string): string {
  const digits = decimalPlacesOf(currencyCode);
  const text = minorUnits.toString().padStart(digits + 1, "0");
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** 2 for USD and for what is no currency, 0 for JPY. */
function decimalPlacesOf(currency: string): number {
  try {
    const format = new Intl.NumberFormat("en", { style: "currency", currency });
    return format.resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}
