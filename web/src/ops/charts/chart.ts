import { html } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** A curve or the upper edge of an area. `colour` is a custom property of the page: "--chart-1". */
export interface ChartSeries {
  readonly name: string;
  readonly colour: string;
  readonly filled: boolean;
  /** "right" measures it at an axis of its own. Default: "left". */
  readonly side?: "right";
  readonly values: readonly (number | null)[];
}

interface ChartData {
  readonly seconds: readonly number[];
  readonly series: readonly ChartSeries[];
  /** What a number at the left axis, and at the right one, reads like. */
  readonly formatLeft: (value: number) => string;
  readonly formatRight?: (value: number) => string;
}

/** A chart that lives as long as its place on the page. */
export interface Chart {
  /** Its place, with the data of this moment. */
  render(data: ChartData): unknown;
}

const heightPx = 190;

/** @param signal Ends it. */
export function createChart(signal: AbortSignal): Chart {
  let place: Element | undefined;
  let plot: uPlot | undefined;
  let shape = "";
  let data: ChartData | undefined;

  const drop = (): void => {
    plot?.destroy();
    plot = undefined;
  };
  const draw = (): void => {
    if (!place || !data) return;
    const next = data.series.map(({ name }) => name).join();
    // Which curves there are is fixed when a plot is made; what they show is not.
    if (plot && next !== shape) drop();
    shape = next;
    const aligned = [data.seconds, ...data.series.map(({ values }) => values)];
    if (plot) plot.setData(aligned as uPlot.AlignedData);
    else
      plot = new uPlot(optionsOf(place, data), aligned as uPlot.AlignedData, place as HTMLElement);
  };
  const redraw = (): void => {
    drop();
    draw();
  };
  const resized = new ResizeObserver(() => {
    if (plot && place && place.clientWidth !== plot.width) {
      plot.setSize({ width: place.clientWidth, height: heightPx });
    }
  });
  // Its colours are drawn, not styled.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw, { signal });
  signal.addEventListener("abort", () => {
    drop();
    resized.disconnect();
  });

  const attach = (element: Element | undefined): void => {
    if (element === place) return;
    drop();
    if (place) resized.unobserve(place);
    place = element;
    if (place) resized.observe(place);
  };
  return {
    render(next) {
      data = next;
      // After the element is there and has its width.
      queueMicrotask(() => {
        if (!signal.aborted) draw();
      });
      return html`<div class="plot" ${ref(attach)}></div>`;
    },
  };
}

function optionsOf(place: Element, { series, formatLeft, formatRight }: ChartData): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const ink = {
    stroke: colour("--muted"),
    font: `11px ${style.fontFamily}`,
    ticks: { show: false },
  };
  const grid = { stroke: colour("--line"), width: 1 };
  const texts = (format: (value: number) => string) => (_: uPlot, values: number[]) =>
    values.map(format);
  return {
    width: place.clientWidth,
    height: heightPx,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, formatRight ? 0 : 18, 0, 0],
    scales: { y: { range: fromZero }, right: { range: fromZero } },
    axes: [
      { ...ink, grid: { show: false }, space: 70, size: 24, values: clockTexts },
      { ...ink, grid, size: 46, space: 32, values: texts(formatLeft) },
      ...(formatRight
        ? [
            {
              ...ink,
              grid: { show: false },
              side: 1 as const,
              scale: "right",
              size: 54,
              space: 32,
              values: texts(formatRight),
            },
          ]
        : []),
    ],
    series: [
      {},
      ...series.map(({ name, colour: property, filled, side }) => ({
        label: name,
        scale: side ?? "y",
        stroke: colour(property),
        width: filled ? 1 : 1.75,
        points: { show: false },
        ...(filled && { fill: colour(property) }),
      })),
    ],
  };
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

function clockTexts(_: uPlot, seconds: number[]): string[] {
  return seconds.map((second) => (second % 60 === 0 ? clock.format(second * 1_000) : ""));
}

// A curve that begins in mid-air makes small things look big.
function fromZero(_: uPlot, _min: number, max: number): uPlot.Range.MinMax {
  return [0, Math.max(1, max * 1.1)];
}
