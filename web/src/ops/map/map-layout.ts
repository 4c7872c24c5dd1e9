import type { HalfSize, Point } from "./geometry.ts";

/** The positions of boxes and edges on the map. */
export interface MapLayout {
  readonly width: number;
  readonly height: number;
  readonly half: HalfSize;
  /** The place of each node, by name. */
  readonly places: ReadonlyMap<string, Point>;
}

/** Room below the lowest box, for the curves that swing around it. */
const foot = 24;

interface Plan {
  readonly width: number;
  readonly half: HalfSize;
  readonly known: Readonly<Record<string, readonly [number, number]>>;
  /** For services that this page does not know: from here on to the right, a row below for each that is full. */
  readonly further: {
    readonly x: number;
    readonly y: number;
    readonly step: number;
    readonly row: number;
  };
}

/** Left to right, as an order goes. */
const wide: Plan = {
  width: 1000,
  half: { x: 66, y: 27 },
  known: {
    client: [72, 190],
    order: [305, 190],
    inventory: [535, 45],
    payment: [535, 125],
    notification: [535, 300],
    queue: [725, 190],
    log: [928, 60],
    shipping: [928, 190],
    "status-hub": [928, 310],
    ops: [72, 340],
  },
  further: { x: 72, y: 450, step: 160, row: 80 },
};

/** For a phone: into the queue on the right, out of it downwards. */
const narrow: Plan = {
  width: 360,
  half: { x: 53, y: 25 },
  known: {
    client: [56, 30],
    order: [56, 138],
    inventory: [56, 256],
    payment: [180, 256],
    notification: [180, 30],
    queue: [304, 138],
    log: [304, 30],
    shipping: [304, 256],
    "status-hub": [180, 366],
    ops: [56, 366],
  },
  further: { x: 56, y: 440, step: 124, row: 70 },
};

/** Lays the nodes out; services without a place of their own come below. */
export function layoutOf(names: readonly string[], isNarrow: boolean): MapLayout {
  const { known, further, ...plan } = isNarrow ? narrow : wide;
  const places = new Map<string, Point>();
  const perRow = Math.floor((plan.width - 2 * further.x) / further.step) + 1;
  let unknown = 0;
  for (const name of names) {
    const [x, y] = known[name] ?? [
      further.x + (unknown % perRow) * further.step,
      further.y + Math.floor(unknown / perRow) * further.row,
    ];
    if (!(name in known)) unknown += 1;
    places.set(name, { x, y });
  }
  const lowest = Math.max(0, ...[...places.values()].map(({ y }) => y));
  const height = lowest + plan.half.y + foot;
  return { width: plan.width, height, half: plan.half, places };
}
