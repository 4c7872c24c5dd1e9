import type { Hop } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type { Curve, Point } from "./geometry.ts";
import { pointAt } from "./geometry.ts";
import type { MapLayout } from "./map-layout.ts";

/** Orders as lights that run along the edges of the map, on a canvas above it. */
export interface HopAnimation {
  /** Takes the canvas when it comes, and lets go of it when it goes. */
  readonly attach: (element: Element | undefined) => void;
  /** Where the edges run now. */
  follow(curves: ReadonlyMap<string, Curve>, layout: MapLayout): void;
  /** Lets orders run that passed since the snapshot before. */
  light(hops: readonly Hop[]): void;
}

interface RunningHop {
  readonly edge: string;
  readonly startsMs: number;
  readonly failed: boolean;
}

/** How long a light runs along an edge, and how long its arrival can be seen. */
const runMs = 650;
const glowMs = 350;

/** A snapshot tells the latest orders of its second, which come in bursts: on each edge they run one after the other over the next. */
const spreadMs = 1_000;

/** Maximum number of lights at once; more cannot be distinguished. */
const maxRunning = 160;

/** Maximum number of lights that start on one edge per second; more would look like a solid line. */
const perEdge = 9;

/** Draws only while a light runs. With reduced motion it draws nothing, and the edges light up instead. */
export function createHopAnimation(signal: AbortSignal): HopAnimation {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let canvas: HTMLCanvasElement | undefined;
  let curves: ReadonlyMap<string, Curve> = new Map();
  let layout: MapLayout | undefined;
  let running: RunningHop[] = [];
  let frame = 0;
  let colours = { good: "", bad: "" };

  const draw = (now: number): void => {
    frame = 0;
    running = running.filter(({ startsMs }) => now < startsMs + runMs + glowMs);
    const context = canvas?.getContext("2d");
    if (!canvas || !context || !layout) return;
    const scale = sizeToScreen(canvas, layout);
    for (const hop of running) {
      const curve = curves.get(hop.edge);
      const age = now - hop.startsMs;
      if (!curve || age < 0) continue;
      context.fillStyle = hop.failed ? colours.bad : colours.good;
      if (age < runMs) dot(context, pointAt(curve, age / runMs), 3.6, 1, scale);
      else glow(context, curve.to, (age - runMs) / glowMs, scale);
    }
    context.globalAlpha = 1;
    if (running.length > 0 && !signal.aborted) frame = requestAnimationFrame(draw);
  };
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));

  return {
    attach(element) {
      canvas = element instanceof HTMLCanvasElement ? element : undefined;
    },
    follow(nextCurves, nextLayout) {
      curves = nextCurves;
      layout = nextLayout;
    },
    light(hops) {
      if (still.matches || document.hidden || hops.length === 0) return;
      // Not for each frame: reading a style makes the browser work it out.
      if (canvas) colours = coloursOf(canvas);
      const now = performance.now();
      const edges = Map.groupBy(hops, ({ from, to }) => `${from} ${to}`);
      for (const [edge, own] of edges) {
        const everyMs = spreadMs / Math.min(perEdge, own.length);
        const firstMs = now + everyMs * Math.random();
        own.slice(-perEdge).forEach(({ failed }, index) => {
          const startsMs = firstMs + index * everyMs;
          if (running.length < maxRunning) running.push({ edge, startsMs, failed });
        });
      }
      if (frame === 0) frame = requestAnimationFrame(draw);
    },
  };
}

/** Clears the canvas, and makes it as fine as the screen. Answers device pixels per unit of the map. */
function sizeToScreen(canvas: HTMLCanvasElement, layout: MapLayout): number {
  const ratio = Math.min(2, devicePixelRatio);
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  } else canvas.getContext("2d")?.clearRect(0, 0, width, height);
  return width / layout.width;
}

function coloursOf(canvas: HTMLCanvasElement): { readonly good: string; readonly bad: string } {
  const style = getComputedStyle(canvas);
  return { good: style.color, bad: style.outlineColor };
}

function dot(
  context: CanvasRenderingContext2D,
  { x, y }: Point,
  radius: number,
  alpha: number,
  scale: number,
): void {
  context.globalAlpha = alpha;
  context.beginPath();
  context.arc(x * scale, y * scale, radius * scale, 0, 2 * Math.PI);
  context.fill();
}

function glow(context: CanvasRenderingContext2D, at: Point, share: number, scale: number): void {
  dot(context, at, 4 + 9 * share, 0.5 * (1 - share), scale);
}
