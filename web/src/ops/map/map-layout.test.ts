import { expect, test } from "vitest";
import { curveBetween, pointAt } from "./geometry.ts";
import { layoutOf } from "./map-layout.ts";

const names = [
  "client",
  "order",
  "inventory",
  "payment",
  "notification",
  "queue",
  "shipping",
  "status-hub",
  "log",
  "ops",
];

test.each([
  ["wide", false],
  ["narrow", true],
])(
  "no two boxes of the %s map overlap, and none sticks out, whatever services come",
  (_name, isNarrow) => {
    const layout = layoutOf([...names, "search", "fraud", "gifts", "taxes"], isNarrow);
    const places = [...layout.places];
    expect(places).toHaveLength(14);
    for (const [name, place] of places) {
      expect(place.x, name).toBeGreaterThanOrEqual(layout.half.x);
      expect(place.x, name).toBeLessThanOrEqual(layout.width - layout.half.x);
      expect(place.y + layout.half.y, name).toBeLessThanOrEqual(layout.height);
      for (const [other, there] of places) {
        if (other === name) continue;
        const apart =
          Math.abs(place.x - there.x) >= 2 * layout.half.x ||
          Math.abs(place.y - there.y) >= 2 * layout.half.y;
        expect(apart, `${name} and ${other}`).toBe(true);
      }
    }
  },
);

test("a curve begins and ends outside of its boxes, and both directions are apart", () => {
  const a = { x: 100, y: 100 };
  const b = { x: 400, y: 100 };
  const half = { x: 60, y: 25 };
  const there = curveBetween(a, b, half);
  const back = curveBetween(b, a, half);
  expect(there.from.x).toBeGreaterThan(160);
  expect(there.to.x).toBeLessThan(340);
  expect(pointAt(there, 0.5).y).toBeLessThan(100);
  expect(pointAt(back, 0.5).y).toBeGreaterThan(100);
});
