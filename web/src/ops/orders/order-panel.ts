import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { OrderStory } from "@smartcart/gen/ops/v1/order_story_pb";
import { createConfirmDialog } from "../confirm-dialog.ts";
import type { Console, Panel } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { ActionNote, OrderAction } from "./order-actions.ts";
import { act, actionsFor } from "./order-actions.ts";
import { storyTemplate } from "./story-template.ts";

/** One order: its whole story, and what can be done about it. */
export interface OrderPanel extends Panel {
  /** Opens an order. */
  enter(orderId: string): void;
}

interface State {
  orderId: string;
  story: OrderStory | undefined;
  complaint: string;
  note: ActionNote;
  isActing: boolean;
}

const quiet: ActionNote = { tone: "", text: "" };

export function createOrderPanel(operations: Console): OrderPanel {
  const { shop, ops, access, signal } = operations;
  const dialog = createConfirmDialog("Not now");
  const fresh = { story: undefined, complaint: "", note: quiet, isActing: false };
  let state: State = { ...fresh, orderId: "" };

  const read = async (mine: State): Promise<void> => {
    try {
      const answer = await ops.getOrderStory(
        { orderId: mine.orderId },
        { signal, timeoutMs: 11_000 },
      );
      Object.assign(mine, { story: answer.story, complaint: "" });
    } catch (error) {
      signal.throwIfAborted();
      mine.complaint = access.isDenied(error) ? "" : complaintOf(error);
    }
    shop.refresh();
  };
  // A rejection means that the console was left.
  const reload = (): void => void read(state).catch(() => {});
  const begin = async (action: OrderAction): Promise<void> => {
    const mine = state;
    if (mine.isActing) return;
    mine.isActing = true;
    const note = await act(operations, dialog, action, mine.orderId);
    mine.isActing = false;
    if (note) {
      mine.note = note;
      shop.announce(note.text);
    }
    await read(mine);
  };

  return {
    enter(orderId) {
      state = { ...fresh, orderId };
      reload();
    },
    render: () => html`
      ${state.complaint ? html`<p class="panel field-error" role="alert">${state.complaint} <button type="button" class="quiet" @click=${reload}>Try again</button></p>` : nothing}
      ${state.story ? html`${actionBar(state, (action) => void begin(action).catch(() => {}), reload)}<div class="order-story">${storyTemplate(state.story)}</div>` : state.complaint ? nothing : html`<p class="panel blank-console muted">Loading…</p>`}
      ${dialog.render()}
    `,
  };
}

function actionBar(
  { story, note, isActing }: State,
  begin: (action: OrderAction) => void,
  reload: () => void,
): TemplateResult {
  const actions = actionsFor(story?.order?.state ?? "");
  const button = (action: OrderAction, text: string): TemplateResult => html`
    <button type="button" class="button ${action === "resume" ? "" : "danger"}" data-action=${action} aria-disabled=${isActing ? "true" : nothing} @click=${() => begin(action)}>${text}</button>
  `;
  const words = { cancel: "Cancel…", refund: "Refund…", resume: "Resume…" } as const;
  return html`
    <p class="row order-actions">
      ${actions.map((action) => button(action, words[action]))}
      <button type="button" class="button" @click=${reload}>Refresh</button>
      <span role="status" class=${note.tone} data-note=${note.tone}>${note.text}</span>
    </p>
  `;
}
