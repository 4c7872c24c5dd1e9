import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import { opsOrderPath } from "../../route.ts";
import { formatDateAndClock } from "../../ui/time.ts";
import type { DeadLetterDetails } from "./dead-letter-details.ts";
import type { DeadLetterGroup, Grouping } from "./dead-letter-groups.ts";
import { deadLetterKey } from "./dead-letter-selection.ts";
import type { DeadLetters } from "./dead-letters.ts";

/** What can be opened in the list. */
export interface Rows {
  readonly story: DeadLetterDetails;
  readonly toggle: (deadLetter: DeadLetter) => void;
  readonly isOpen: (key: string) => boolean;
}

/** A group with its dead letters. @param dead Undefined where they cannot be selected: in the archive. */
export function groupTemplate(
  { key, title, queue, deadLetters }: DeadLetterGroup,
  grouping: Grouping,
  dead: DeadLetters | undefined,
  rows: Rows,
): TemplateResult {
  const keys = deadLetters.map(deadLetterKey);
  const isAll = dead !== undefined && keys.every((one) => dead.ticked().has(one));
  const tick = (): void => {
    if (dead === undefined) return;
    const others = [...dead.ticked()].filter((one) => !keys.includes(one));
    dead.tickAll(isAll ? others : [...others, ...keys]);
  };
  const name =
    grouping === "order" && title.startsWith("ORD-")
      ? html`<a href=${opsOrderPath(title)}>${title}</a>`
      : title;
  return html`
    <div class="dead-letter-group" data-group=${key}>
      <h3>
        ${dead ? html`<input type="checkbox" aria-label="Select all of ${title}" .checked=${isAll} @change=${tick} />` : nothing}
        <span>${name} <span class="muted">· ${deadLetters.length} of ${queue}</span></span>
      </h3>
      <ul class="dead-letter-list">
        ${repeat(deadLetters, deadLetterKey, (one) => row(one, dead, rows))}
      </ul>
    </div>
  `;
}

function row(deadLetter: DeadLetter, dead: DeadLetters | undefined, rows: Rows): TemplateResult {
  const { queue, type, orderId, attempts, reason, failedAt, messageId } = deadLetter;
  const key = deadLetterKey(deadLetter);
  const isOpen = rows.isOpen(key);
  const name = type.split(".").at(-1) || "Unknown message";
  const when = failedAt && timestampDate(failedAt).toISOString();
  return html`
    <li class="dead-letter" data-dead-letter=${messageId}>
      ${dead ? html`<input type="checkbox" aria-label="Select ${name} of ${queue}, ${messageId}" .checked=${dead.ticked().has(key)} @change=${() => dead.tick(key)} />` : html`<span></span>`}
      <div class="dead-letter-text">
        <p>
          <strong>${name}</strong> <span class="muted">in ${queue}</span>
          ${orderId ? html`· <a href=${opsOrderPath(orderId)}>${orderId}</a>` : nothing}
        </p>
        <p class="reason">${reason}</p>
        <p class="muted small">
          ${attempts === 1 ? "1 attempt" : `${attempts} attempts`}${when ? html` · <time datetime=${when}>${formatDateAndClock(when)}</time>` : nothing}
        </p>
      </div>
      <button type="button" class="quiet" aria-expanded=${isOpen ? "true" : "false"} @click=${() => rows.toggle(deadLetter)}>
        ${isOpen ? "Close" : "Details"}<span class="visually-hidden"> of ${messageId}</span>
      </button>
      ${isOpen ? rows.story.render(deadLetter) : nothing}
    </li>
  `;
}
