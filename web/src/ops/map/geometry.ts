/** Curves between the boxes of the map. All in the units of the map's view box. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Half of a box's width and height. */
export interface HalfSize {
  readonly x: number;
  readonly y: number;
}

/** A quadratic curve. */
export interface Curve {
  readonly from: Point;
  readonly bend: Point;
  readonly to: Point;
}

/** Room between the tip of an arrow and the box, so that the tip can be seen. */
const gap = 5;

/** Beyond this length a curve swings wide around what is in between. */
const long = 450;

/**
 * The curve from the edge of one box to the edge of another. It bows to the left of its direction, so that both
 * directions between two boxes can be told apart.
 */
export function curveBetween(a: Point, b: Point, half: HalfSize): Curve {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = Math.hypot(dx, dy);
  const bow = length > long ? 0.32 : 0.14;
  const bend = { x: (a.x + b.x) / 2 + dy * bow, y: (a.y + b.y) / 2 - dx * bow };
  const whole = { from: a, bend, to: b };
  return service(whole, leaves(whole, a, half), 1 - leaves(reversed(whole), b, half));
}

/** The point a share of the way along, 0 to 1. */
export function pointAt({ from, bend, to }: Curve, share: number): Point {
  const rest = 1 - share;
  const along = (a: number, b: number, c: number): number =>
    rest * rest * a + 2 * rest * share * b + share * share * c;
  return { x: along(from.x, bend.x, to.x), y: along(from.y, bend.y, to.y) };
}

/** The curve as SVG writes it. */
export function pathOf({ from, bend, to }: Curve): string {
  const text = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${text(from)}Q${text(bend)} ${text(to)}`;
}

/** Where, as a share of the way, a curve that begins in a box leaves it. */
function leaves(curve: Curve, box: Point, half: HalfSize): number {
  for (let share = 0; share < 0.5; share += 0.01) {
    const { x, y } = pointAt(curve, share);
    if (Math.abs(x - box.x) > half.x + gap || Math.abs(y - box.y) > half.y + gap) return share;
  }
  return 0.5;
}

function reversed({ from, bend, to }: Curve): Curve {
  return { from: to, bend, to: from };
}

/** The piece of a curve between two shares of its way. */
function service(curve: Curve, start: number, end: number): Curve {
  const { from, bend, to } = curve;
  const mix = (a: number, b: number, c: number): number =>
    (1 - start) * (1 - end) * a + ((1 - start) * end + start * (1 - end)) * b + start * end * c;
  return {
    from: pointAt(curve, start),
    bend: { x: mix(from.x, bend.x, to.x), y: mix(from.y, bend.y, to.y) },
    to: pointAt(curve, end),
  };
}
