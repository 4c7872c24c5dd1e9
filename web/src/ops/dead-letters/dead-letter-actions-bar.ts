import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { formatCount } from "../../ui/numbers.ts";
import type { ConfirmDialog } from "../confirm-dialog.ts";
import { deadLetterKey } from "./dead-letter-selection.ts";
import type { DeadLetterAction, DeadLetters } from "./dead-letters.ts";

/** All of a queue at once, also those that are not listed; each only after a question. */
export function allOfQueues(
  dead: DeadLetters,
  dialog: ConfirmDialog,
): TemplateResult | typeof nothing {
  const full = dead.queues().filter(({ deadLetters }) => deadLetters > 0n);
  if (full.length === 0) return nothing;
  const act = async (verb: "redrive" | "archive", queue: string, count: string): Promise<void> => {
    if (dead.work().kind === "working") return;
    const words = allQuestions[verb];
    const title = words.title.replace("ALL", `all ${count} of ${queue}`);
    if (await dialog.ask({ ...words, title })) await dead.act(verb, [{ queue, messageIds: [] }]);
  };
  const isBusy = dead.work().kind === "working" ? "true" : nothing;
  return html`
    <p class="row">
      ${full.map(({ queue, deadLetters }) => {
        const count = formatCount(deadLetters);
        return html`
          <button type="button" class="button small" data-redrive-all=${queue} aria-disabled=${isBusy} @click=${() => act("redrive", queue, count)}>
            Redrive all ${count} of ${queue}…
          </button>
          <button type="button" class="button small" data-archive-all=${queue} aria-disabled=${isBusy} @click=${() => act("archive", queue, count)}>
            Archive all ${count} of ${queue}…
          </button>
        `;
      })}
    </p>
  `;
}

const allQuestions = {
  redrive: {
    title: "Redrive ALL?",
    text: "They go back into the queue with all attempts again, 50 per second. Fix the cause first: what still fails comes back.",
    yes: "Redrive all",
  },
  archive: {
    title: "Archive ALL?",
    text: "They leave the queue and are not processed. The archive keeps them for 30 days; a copy of each can still be sent.",
    yes: "Archive all",
  },
} as const;

/** What can be done with the selected ones. */
export function actionBar(dead: DeadLetters, dialog: ConfirmDialog): TemplateResult {
  const list = dead.list();
  const count = dead.ticked().size;
  const isIdle = dead.work().kind !== "working" && count > 0;
  const act = async (verb: DeadLetterAction): Promise<void> => {
    if (!isIdle) return;
    if (verb !== "drop" || (await dialog.ask(dropQuestion(count)))) await dead.act(verb);
  };
  const suffix = count > 0 ? ` ${count}` : "";
  const button = (verb: DeadLetterAction, text: string): TemplateResult => html`
    <button type="button" class="button small ${verb === "drop" ? "danger" : ""}" aria-disabled=${isIdle ? nothing : "true"} @click=${() => act(verb)}>${text}</button>
  `;
  const tickAll = (): void => dead.tickAll(count === list.length ? [] : list.map(deadLetterKey));
  return html`
    <div class="row bar">
      <label class="tick"><input type="checkbox" .checked=${count === list.length} @change=${tickAll} /> All shown</label>
      ${button("redrive", `Redrive${suffix}`)} ${button("archive", `Archive${suffix}`)} ${button("drop", `Drop${suffix}…`)}
    </div>
  `;
}

function dropQuestion(count: number) {
  return {
    title: count === 1 ? "Delete this message?" : `Delete ${count} messages?`,
    text: "The messages are deleted permanently and are never processed. If the cause is fixed, redrive them instead; to put them aside, archive them.",
    yes: "Delete permanently",
  };
}
