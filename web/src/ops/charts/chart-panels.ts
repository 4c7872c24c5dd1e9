import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import { formatCount, formatMs, formatRate } from "../../ui/numbers.ts";
import type { Console } from "../console.ts";
import type { Sample } from "../mesh-history.ts";
import { createChart } from "./chart.ts";
import { createDayHistory } from "./day-history.ts";
import { colourIndexOf, stackStates, usualGapMs, withGaps } from "./stack.ts";

/** The past minutes, or the past day, as curves. */
export interface ChartPanels {
  /** @param samples The past minutes. */
  render(samples: readonly Sample[]): TemplateResult;
}

/** Colours that the styles have; states beyond them share the last one. */
const colours = 8;

/** A point of the day is missing where two are further apart than this, in milliseconds. */
const dayGapMs = 150_000;

/** What a chart shows. */
interface Curves {
  readonly samples: readonly Sample[];
  readonly gapMs: number;
}

export function createChartPanels(operations: Console): ChartPanels {
  const { shop, signal } = operations;
  const states = createChart(signal);
  const traffic = createChart(signal);
  const day = createDayHistory(operations);
  let isDay = false;
  const choose = (next: boolean): void => {
    isDay = next;
    if (isDay) day.open();
    else day.close();
    shop.refresh();
  };
  return {
    render: (minutes) => {
      const curves: Curves = isDay
        ? { samples: day.samples(), gapMs: dayGapMs }
        : { samples: minutes, gapMs: usualGapMs };
      return html`
        <div class="spans" role="group" aria-label="Time span of the charts">
          ${spanButton("5 minutes", !isDay, () => choose(false))} ${spanButton("24 hours", isDay, () => choose(true))}
          <span class="muted" role="status">${isDay ? day.complaint() : ""}</span>
        </div>
        <div class="pair" data-points=${curves.samples.length}>
          <section class="panel" aria-labelledby="states-heading">
            <h2 id="states-heading">Orders in progress</h2>
            ${statesChart(states, curves)}
          </section>
          <section class="panel" aria-labelledby="traffic-heading">
            <h2 id="traffic-heading">Client calls</h2>
            ${trafficChart(traffic, curves)}
          </section>
        </div>
      `;
    },
  };
}

function spanButton(text: string, isPressed: boolean, onPress: () => void): TemplateResult {
  return html`<button type="button" class="button small" aria-pressed=${isPressed ? "true" : "false"} @click=${onPress}>${text}</button>`;
}

function statesChart(
  chart: ReturnType<typeof createChart>,
  { samples, gapMs }: Curves,
): TemplateResult {
  const { seconds, layers } = stackStates(samples, gapMs);
  // The highest is painted first, so that each covers the foot of the one above it.
  const series = layers.toReversed().map(({ name, tops }) => ({
    name,
    colour: colourOf(name),
    filled: true,
    values: tops,
  }));
  const words = layers
    .map(({ name, latest }) => `${wordOf(name)} ${formatCount(latest)}`)
    .join(", ");
  return html`
    <div role="img" aria-label="Orders by state over the past minutes. Now: ${words || "none"}.">
      ${chart.render({ seconds, series, formatLeft: formatCount })}
    </div>
    <ul class="legend" aria-hidden="true">
      ${layers.map(
        ({ name, latest }) =>
          html`<li><span class="swatch ${colourOf(name).slice(2)}"></span>${wordOf(name)} <strong>${formatCount(latest)}</strong></li>`,
      )}
      ${layers.length === 0 ? html`<li>None at the moment</li>` : ""}
    </ul>
  `;
}

function trafficChart(
  chart: ReturnType<typeof createChart>,
  { samples, gapMs }: Curves,
): TemplateResult {
  const moments = withGaps(samples, gapMs);
  const latest = samples.at(-1);
  const rate = formatRate(latest?.outsideRate ?? 0);
  const time = formatMs(latest?.outsideP99Ms ?? 0);
  return html`
    <div role="img" aria-label="Client calls and their p99 over the past minutes. Now: ${rate}, ${time}.">
      ${chart.render({
        seconds: moments.map(({ atMs }) => atMs / 1_000),
        series: [
          {
            name: "rate",
            colour: "--chart-1",
            filled: false,
            values: moments.map(({ outsideRate }) => outsideRate ?? null),
          },
          {
            name: "p99",
            colour: "--chart-4",
            filled: false,
            side: "right",
            values: moments.map(({ outsideP99Ms }) => outsideP99Ms ?? null),
          },
        ],
        formatLeft: formatCount,
        formatRight: formatMs,
      })}
    </div>
    <ul class="legend" aria-hidden="true">
      <li><span class="swatch chart-1"></span>calls <strong>${rate}</strong></li>
      <li><span class="swatch chart-4"></span>p99 (right) <strong>${time}</strong></li>
    </ul>
  `;
}

function colourOf(state: string): string {
  return `--chart-${Math.min(colours, colourIndexOf(state) + 1)}`;
}

/** "STOCK_RESERVED" → "stock reserved" */
function wordOf(state: string): string {
  return state.toLowerCase().replaceAll("_", " ");
}
