import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import { formatDateAndClock } from "../ui/time.ts";
import { stepsAhead, toneOf } from "./milestones.ts";
import type { Timeline, TimelineEntry } from "./timeline.ts";

/** The steps that were made, with their times, and those that are still to come. */
export function timelineList(timeline: Timeline): TemplateResult {
  return html`
    <ol class="timeline" aria-label="Steps of the order">
      ${repeat(timeline.entries, (entry) => entry.sequence, stepMade)}
      ${stepsAhead(timeline).map(
        (status) =>
          html`<li class="step ahead"><span class="step-name">${status}</span><span class="visually-hidden"> (not reached yet)</span></li>`,
      )}
    </ol>
  `;
}

function stepMade({ sequence, status, occurredAt }: TimelineEntry): TemplateResult {
  return html`
    <li class="step ${toneOf(status)}" data-sequence=${sequence} data-status=${status}>
      <span class="step-name">${status}</span>
      <time class="muted" datetime=${occurredAt || nothing}>${formatDateAndClock(occurredAt)}</time>
    </li>
  `;
}
