/** An amount in minor units, as the RPC message or as its JSON (where int64 is a string). */
export interface Amount {
  readonly currencyCode?: string;
  readonly minorUnits?: bigint | string;
}

const formats = new Map<string, Intl.NumberFormat>();

/** "$12.50". Follows the visitor's language; how many digits are minor is the currency's own matter. */
export function formatMoney(amount: Amount | undefined): string {
  const currency = amount?.currencyCode;
  if (!currency) return "";
  const format = formatOf(currency);
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  // By text, not by division: an int64 need not fit a double.
  const minor = String(amount.minorUnits ?? 0).padStart(digits + 1, "0");
  const point = minor.length - digits;
  const decimal = digits === 0 ? minor : `${minor.slice(0, point)}.${minor.slice(point)}`;
  return format.format(decimal as Intl.StringNumericLiteral);
}

function formatOf(currency: string): Intl.NumberFormat {
  const known = formats.get(currency);
  if (known) return known;
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  formats.set(currency, format);
  return format;
}
