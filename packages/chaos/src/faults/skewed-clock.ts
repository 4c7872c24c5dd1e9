/**
 * Loaded before a service, it shifts the process's clock by CHAOS_CLOCK_OFFSET_MS: services read the time from `Date` only.
 * Timers and `performance` use the monotonic clock and stay as they are, as on a machine whose time is wrong.
 */
const offsetMs = Number(process.env.CHAOS_CLOCK_OFFSET_MS);
if (!Number.isFinite(offsetMs)) throw new Error("CHAOS_CLOCK_OFFSET_MS is not a number");

const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct(target, args: unknown[], newTarget) {
    const given = args.length === 0 ? [RealDate.now() + offsetMs] : args;
    return Reflect.construct(target, given, newTarget) as Date;
  },
  apply: () => new RealDate(RealDate.now() + offsetMs).toString(),
  get(target, name, receiver) {
    if (name === "now") return () => RealDate.now() + offsetMs;
    return Reflect.get(target, name, receiver) as unknown;
  },
});
