import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { logPath } from "../route.ts";
import { formatClock, formatElapsed } from "../ui/time.ts";
import { stepsAhead, toneOf } from "./milestones.ts";
import type { Timeline, TimelineEntry } from "./timeline.ts";

/** The steps that were made, with their times, and those that are still to come. */
export function timelineList(timeline: Timeline): TemplateResult {
  const first = timeline.entries[0]?.occurredAt;
  return html`
    <ol class="timeline" aria-label="Steps of the order">
      ${repeat(
        timeline.entries,
        (entry) => entry.sequence,
        (entry) => stepMade(entry, first),
      )}
      ${stepsAhead(timeline).map(
        (status) =>
          html`<li class="step ahead"><span class="step-name">${status}</span><span class="visually-hidden"> (not reached yet)</span></li>`,
      )}
    </ol>
  `;
}

function stepMade(entry: TimelineEntry, first: string | undefined): TemplateResult {
  const { sequence, status, occurredAt, service, traceId } = entry;
  return html`
    <li class="step ${toneOf(status)}" data-sequence=${sequence} data-status=${status}>
      <span class="step-name">${status}</span>
      <time datetime=${occurredAt || nothing}>${formatClock(occurredAt)}</time>
      <span class="muted elapsed">${sequence > 1 ? formatElapsed(first, occurredAt) : nothing}</span>
      <span class="muted origin">
        ${service ? html`by ${service}` : nothing}
        ${traceId ? traceLink(traceId) : nothing}
      </span>
    </li>
  `;
}

function traceLink(traceId: string): TemplateResult {
  return html`
    <span class="trace">· trace <a href=${logPath(traceId)} title="Lines of trace ${traceId} in the log"><code>${traceId.slice(0, 8)}</code></a></span>
  `;
}
