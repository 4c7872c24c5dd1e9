const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const preciseClock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});
const dateAndClock = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "short",
});

/** "14:03:27" in the visitor's language and zone; "" for what is no instant. */
export function formatClock(instant: string | undefined): string {
  return format(clock, instant);
}

/** "22 Nov 2025, 14:03" in the visitor's language and zone; "" for what is no instant. */
export function formatDateAndClock(instant: string | undefined): string {
  return format(dateAndClock, instant);
}

/** Time from one instant to a later one: "+40 ms", "+1.2 s", "+3 min"; "" where either is no instant. */
export function formatElapsed(from: string | undefined, to: string | undefined): string {
  const ms = Date.parse(to ?? "") - Date.parse(from ?? "");
  if (Number.isNaN(ms)) return "";
  if (ms < 1_000) return `+${Math.max(0, ms)} ms`;
  return ms < 60_000 ? `+${(ms / 1_000).toFixed(1)} s` : `+${Math.round(ms / 60_000)} min`;
}

function format(by: Intl.DateTimeFormat, instant: string | undefined): string {
  const ms = Date.parse(instant ?? "");
  return Number.isNaN(ms) ? "" : by.format(ms);
}

/** "14:03:27.042": a time of the log, where milliseconds tell what came first. */
export function formatPreciseClock(instant: string | undefined): string {
  return format(preciseClock, instant);
}
