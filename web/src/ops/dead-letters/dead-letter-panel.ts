import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import { formatCount } from "../../ui/numbers.ts";
import { createConfirmDialog } from "../confirm-dialog.ts";
import type { Console, Panel } from "../console.ts";
import { actionBar, allOfQueues } from "./dead-letter-actions-bar.ts";
import { createDeadLetterDetails } from "./dead-letter-details.ts";
import type { Grouping } from "./dead-letter-groups.ts";
import { groupsOf } from "./dead-letter-groups.ts";
import type { Rows } from "./dead-letter-row.ts";
import { groupTemplate } from "./dead-letter-row.ts";
import { deadLetterKey } from "./dead-letter-selection.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { doneInWords } from "./dead-letters.ts";

/** The dead letters: read, redriven, edited, archived or dropped, one or many. */
export function createDeadLetterPanel(operations: Console, dead: DeadLetters): Panel {
  const { shop } = operations;
  const story = createDeadLetterDetails(operations);
  const dialog = createConfirmDialog();
  let open = "";
  let grouping: Grouping = "failure";
  const toggle = (deadLetter: DeadLetter): void => {
    const key = deadLetterKey(deadLetter);
    open = open === key ? "" : key;
    if (open) story.open(deadLetter);
    shop.refresh();
  };
  const group = (by: Grouping): void => {
    grouping = by;
    shop.refresh();
  };
  const rows: Rows = { story, toggle, isOpen: (key) => key === open };
  return {
    render: () => {
      const isArchive = dead.isArchiveShown();
      const shown = isArchive ? dead.archived() : dead.list();
      return html`
        <section class="panel dead-letters" aria-labelledby="dead-letters-heading">
          <div class="panel-head">
            <h2 id="dead-letters-heading">${isArchive ? "Archive" : "In the queues"}</h2>
            ${choices(grouping, group, dead)}
          </div>
          ${dead.complaint() ? complaint(dead) : nothing}
          ${isArchive ? nothing : html`${allOfQueues(dead, dialog)} ${dead.list().length > 0 ? actionBar(dead, dialog) : nothing}`}
          ${progress(dead)}
          ${shown.length > 0 ? groupsOf(shown, grouping).map((one) => groupTemplate(one, grouping, isArchive ? undefined : dead, rows)) : emptyNote(dead)}
          ${dialog.render()}
        </section>
      `;
    },
  };
}

function choices(
  grouping: Grouping,
  group: (by: Grouping) => void,
  dead: DeadLetters,
): TemplateResult {
  const button = (text: string, isPressed: boolean, onPress: () => void): TemplateResult => html`
    <button type="button" class="button small" aria-pressed=${isPressed ? "true" : "false"} @click=${onPress}>${text}</button>
  `;
  const isArchive = dead.isArchiveShown();
  return html`
    <p class="row">
      ${button("By failure", grouping === "failure", () => group("failure"))} ${button("By order", grouping === "order", () => group("order"))}
      ${button("Archive", isArchive, () => dead.showArchive(!isArchive))}
    </p>
  `;
}

function emptyNote(dead: DeadLetters): TemplateResult | typeof nothing {
  if (dead.complaint()) return nothing;
  if (!dead.isLoaded()) return html`<p class="muted">Loading…</p>`;
  if (dead.isArchiveShown()) {
    return html`<p class="muted">None. The archive keeps the newest 10,000 for 30 days.</p>`;
  }
  return html`
    <p class="muted">
      None. All messages were processed. To try this page, switch on “Refuse every parcel” on the page
      <a href="/ops/faults">Faults</a> and place an order.
    </p>
  `;
}

function complaint(dead: DeadLetters): TemplateResult {
  return html`
    <p class="field-error" role="alert">
      The list may be out of date. ${dead.complaint()} <button type="button" class="quiet" @click=${dead.reload}>Try again</button>
    </p>
  `;
}

function progress(dead: DeadLetters): TemplateResult {
  const work = dead.work();
  switch (work.kind) {
    case "none":
      return html`<div role="status"></div>`;
    case "working":
      return html`
        <div class="row" data-work="working">
          <progress aria-label="Messages done" max=${Math.max(1, work.total)} .value=${work.done}></progress>
          <span>${formatCount(work.done)} of ${formatCount(work.total)}</span>
          <button type="button" class="button small" @click=${dead.stop}>Stop</button>
        </div>
      `;
    case "done":
      return html`<p role="status" data-work="done">${doneInWords(work.verb, work.done)}</p>`;
    case "failed":
      return html`<p class="field-error" role="alert" data-work="failed">${work.complaint}</p>`;
  }
}
