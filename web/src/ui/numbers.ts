const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** "1,204": a count in the visitor's language. */
export function formatCount(count: number | bigint): string {
  return whole.format(count);
}

/** "212/s", "0.4/s": digits below ten, where they tell something. */
export function formatRate(perSecond: number): string {
  return `${(perSecond < 9.95 ? tenths : whole).format(perSecond)}/s`;
}

/** "0.8 ms", "42 ms", "1.3 s". */
export function formatMs(ms: number): string {
  if (ms >= 999.5) return `${tenths.format(ms / 1_000)} s`;
  return `${(ms < 9.95 ? tenths : whole).format(ms)} ms`;
}
