/** Where the labels of edges stand, so that none covers another one or a box. Pure, in the units of the map's view box. */
import type { Curve, HalfSize, Point } from "./geometry.ts";
import { pointAt } from "./geometry.ts";

/** A label to be placed beside its curve. */
export interface Label {
  readonly key: string;
  readonly text: string;
  readonly curve: Curve;
}

/** Width of a character and height of a line of a label. */
const character = 6.6;
const line = 14;

/** Shares of the way along a curve, the middle first, and distances from it on either side. */
const shares = [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78, 0.15, 0.85];
const asides = [11, -11, 22, -22];

interface Box {
  readonly x: number;
  readonly y: number;
  readonly halfWidth: number;
  readonly halfHeight: number;
}

/**
 * The middle of each label, by its key. A label that finds no room is left out: its numbers stand in the table below the map.
 *
 * @param width Of the map: no label sticks out of it.
 */
export function placeLabels(
  labels: readonly Label[],
  boxes: { readonly places: Iterable<Point>; readonly half: HalfSize },
  width: number,
): ReadonlyMap<string, Point> {
  const taken: Box[] = [...boxes.places].map(({ x, y }) => ({
    x,
    y,
    halfWidth: boxes.half.x,
    halfHeight: boxes.half.y,
  }));
  const placed = new Map<string, Point>();
  for (const { key, text, curve } of labels) {
    const halfWidth = (text.length * character) / 2;
    const box = candidates(curve)
      .map((point) => ({ ...point, halfWidth, halfHeight: line / 2 }))
      .find((one) => isInside(one, width) && !taken.some((other) => overlap(one, other)));
    if (box === undefined) continue;
    taken.push(box);
    placed.set(key, { x: box.x, y: box.y });
  }
  return placed;
}

function candidates(curve: Curve): Point[] {
  const [dx, dy] = [curve.to.x - curve.from.x, curve.to.y - curve.from.y];
  const length = Math.hypot(dx, dy) || 1;
  return asides.flatMap((aside) =>
    shares.map((share) => {
      const { x, y } = pointAt(curve, share);
      return { x: x + (aside * dy) / length, y: y - (aside * dx) / length };
    }),
  );
}

function isInside({ x, y, halfWidth, halfHeight }: Box, width: number): boolean {
  return x - halfWidth >= 0 && x + halfWidth <= width && y - halfHeight >= 0;
}

function overlap(one: Box, other: Box): boolean {
  return (
    Math.abs(one.x - other.x) < one.halfWidth + other.halfWidth &&
    Math.abs(one.y - other.y) < one.halfHeight + other.halfHeight
  );
}
