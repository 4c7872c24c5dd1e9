import type { FaultSwitch } from "@smartcart/mesh";
import { createFaultSwitch } from "@smartcart/mesh";

/** The switch that places orders. It turns itself off `longestMs` after it was last turned. */
export function createLoadSwitch(
  setRate: (ordersPerSecond: number) => void,
  longestMs: number,
): FaultSwitch & Disposable {
  let end: NodeJS.Timeout | undefined;
  const load = createFaultSwitch({
    name: "load",
    title: `Place orders (stops after ${Math.round(longestMs / 60_000)} minutes)`,
    max: 200,
    unit: "orders/s",
    onTurn(rate) {
      clearTimeout(end);
      setRate(rate);
      if (rate > 0) end = setTimeout(() => void load.turn(0), longestMs).unref();
    },
  });
  return { ...load, [Symbol.dispose]: () => clearTimeout(end) };
}
