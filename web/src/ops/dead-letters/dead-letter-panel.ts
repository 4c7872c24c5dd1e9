import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import { opsOrderPath } from "../../route.ts";
import { formatCount } from "../../ui/numbers.ts";
import { formatDateAndClock } from "../../ui/time.ts";
import type { ConfirmDialog } from "../confirm-dialog.ts";
import { createConfirmDialog } from "../confirm-dialog.ts";
import type { Console, Panel } from "../console.ts";
import type { DeadLetterDetails } from "./dead-letter-details.ts";
import { createDeadLetterDetails } from "./dead-letter-details.ts";
import { deadLetterKey } from "./dead-letter-selection.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { doneInWords } from "./dead-letters.ts";

/** The dead letters: read, redriven or dropped, one or many. */
export function createDeadLetterPanel(operations: Console, dead: DeadLetters): Panel {
  const story = createDeadLetterDetails(operations);
  const dialog = createConfirmDialog();
  let open = "";
  const toggle = (deadLetter: DeadLetter): void => {
    const key = deadLetterKey(deadLetter);
    open = open === key ? "" : key;
    if (open) story.open(deadLetter);
    operations.shop.refresh();
  };
  return {
    render: () => html`
      <section class="panel dead-letters" aria-labelledby="dead-letters-heading">
        <div class="panel-head">
          <h2 id="dead-letters-heading" tabindex="-1">Dead letters</h2>
          ${queueButtons(dead)}
        </div>
        ${dead.complaint() ? complaint(dead) : nothing}
        ${dead.list().length > 0 ? deadLetterList(dead, dialog, { story, toggle, isOpen: (key) => key === open }) : emptyNote(dead)}
        ${progress(dead)} ${dialog.render()}
      </section>
    `,
  };
}

function emptyNote(dead: DeadLetters): TemplateResult | typeof nothing {
  if (dead.complaint()) return nothing;
  return html`<p class="muted">${dead.isLoaded() ? "None. All messages were processed." : "Loading…"}</p>`;
}

function complaint(dead: DeadLetters): TemplateResult {
  return html`
    <p class="field-error" role="alert">
      The list may be out of date. ${dead.complaint()} <button type="button" class="quiet" @click=${dead.reload}>Try again</button>
    </p>
  `;
}

/** All of a queue at once: also those that are not listed. */
function queueButtons(dead: DeadLetters): TemplateResult | typeof nothing {
  const full = dead.queues().filter(({ deadLetters }) => deadLetters > 0n);
  return html`
    <p class="row">
      ${full.map(
        ({ queue, deadLetters }) => html`
          <button
            type="button"
            class="button small"
            data-redrive-all=${queue}
            aria-disabled=${dead.work().kind === "working" ? "true" : nothing}
            @click=${() => dead.act("redrive", [{ queue, messageIds: [] }])}
          >
            Redrive all ${formatCount(deadLetters)} of ${queue}
          </button>
        `,
      )}
    </p>
  `;
}

interface Rows {
  readonly story: DeadLetterDetails;
  readonly toggle: (deadLetter: DeadLetter) => void;
  readonly isOpen: (key: string) => boolean;
}

function deadLetterList(dead: DeadLetters, dialog: ConfirmDialog, rows: Rows): TemplateResult {
  const list = dead.list();
  const all = list.map(deadLetterKey);
  const count = dead.ticked().size;
  const busy = dead.work().kind === "working" || count === 0 ? "true" : nothing;
  const drop = async (): Promise<void> => {
    if (count === 0 || dead.work().kind === "working") return;
    const title = count === 1 ? "Delete this message?" : `Delete ${count} messages?`;
    const text =
      "The messages are deleted permanently and are never processed. If the cause is fixed, redrive them instead.";
    if (await dialog.ask({ title, text, yes: "Delete permanently" })) await dead.act("drop");
  };
  const tickAll = (): void => dead.tickAll(count === list.length ? [] : all);
  return html`
    <div class="row bar">
      <label class="tick"><input type="checkbox" .checked=${count === list.length} @change=${tickAll} /> All shown</label>
      <button type="button" class="button small" aria-disabled=${busy} @click=${() => dead.act("redrive")}>Redrive${count > 0 ? ` ${count}` : ""}</button>
      <button type="button" class="button small danger" aria-disabled=${busy} @click=${drop}>Drop${count > 0 ? ` ${count}` : ""}…</button>
    </div>
    <ul class="dead-letter-list">
      ${repeat(list, deadLetterKey, (deadLetter) => deadLetterRow(deadLetter, dead, rows))}
    </ul>
  `;
}

function deadLetterRow(deadLetter: DeadLetter, dead: DeadLetters, rows: Rows): TemplateResult {
  const { queue, type, orderId, attempts, reason, failedAt, messageId } = deadLetter;
  const key = deadLetterKey(deadLetter);
  const isOpen = rows.isOpen(key);
  const name = type.split(".").at(-1) || "Unknown message";
  const when = failedAt && timestampDate(failedAt).toISOString();
  return html`
    <li class="dead-letter" data-dead-letter=${messageId}>
      <input type="checkbox" aria-label="Select ${name} of ${queue}, ${messageId}" .checked=${dead.ticked().has(key)} @change=${() => dead.tick(key)} />
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
