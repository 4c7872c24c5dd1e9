import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { EditorState } from "./editor-state.ts";
import type { PictureField } from "./picture-field.ts";
import type { DraftField } from "./product-draft.ts";
import { conflictsOf, draftOf, fieldLabels } from "./product-draft.ts";
import { productFields } from "./product-fields.ts";
import type { StockEditor } from "./stock-editor.ts";

interface EditorActions {
  readonly categories: readonly string[];
  readonly picture: PictureField;
  readonly stock: StockEditor;
  readonly type: (field: DraftField, text: string) => void;
  readonly save: () => void;
  readonly archive: (isArchived: boolean) => void;
  /** Ends a conflict: with mine, or with theirs. */
  readonly resolve: (isMine: boolean) => void;
}

/** The editor below the row of its product. */
export function editorTemplate(
  state: EditorState | undefined,
  actions: EditorActions,
): TemplateResult {
  const product = state?.base.product;
  if (!(state && product)) return html``;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    actions.save();
  };
  const { draft, problems, isBusy } = state;
  const { productId, archived } = product;
  return html`
    <div class="product-editor" data-revision=${String(state.base.revision)}>
      <form aria-label="Details of ${product.name}" @submit=${submit} novalidate>
        ${conflictNotice(state, actions)}
        <div class="product-fields">
          ${productFields({ form: "edit", draft, problems, categories: actions.categories, type: actions.type })}
          ${actions.picture.render({
            form: "edit",
            productId,
            pictureUrl: draft.pictureUrl,
            problem: problems.pictureUrl,
            change: (url) => actions.type("pictureUrl", url),
          })}
        </div>
        <p class="row">
          <button class="button primary small" aria-disabled=${isBusy || state.theirs ? "true" : nothing}>Save</button>
          <button type="button" class="button small ${archived ? "" : "danger"}" data-archive aria-disabled=${isBusy ? "true" : nothing}
            @click=${() => actions.archive(!archived)}>${archived ? "Unarchive" : "Archive…"}</button>
          <span role="status" class=${state.tone} data-note=${state.tone}>${state.note}</span>
        </p>
      </form>
      ${actions.stock.render()}
    </div>
  `;
}

/** Another operator has saved the product first: their values are shown beside those of the form. */
function conflictNotice(
  { base, draft, theirs }: EditorState,
  { resolve }: EditorActions,
): TemplateResult | typeof nothing {
  if (!(base.product && theirs?.product)) return nothing;
  const [before, after] = [draftOf(base.product), draftOf(theirs.product)];
  const conflicts = conflictsOf(before, draft, after);
  const isArchived = theirs.product.archived;
  const shown = (text: string): string => text || "(empty)";
  return html`
    <div class="notice warn conflict" role="alert" data-conflict>
      <p><strong>Another operator changed this product while you edited it.</strong> Nothing of yours is saved yet.
        ${isArchived === base.product.archived ? "" : isArchived ? "It is archived now." : "It is listed again now."}</p>
      <div class="scroller" tabindex="0" role="region" aria-label="What was changed">
        <table>
          <thead><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">Theirs</th><th scope="col">Mine</th></tr></thead>
          <tbody>
            ${conflicts.map(
              ({ field, before, theirs, mine }) => html`
                <tr data-field=${field}>
                  <th scope="row">${fieldLabels[field]}</th><td>${shown(before)}</td><td>${shown(theirs)}</td>
                  <td>${mine === undefined ? html`<span class="muted">as theirs</span>` : shown(mine)}</td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
      <p class="row">
        <button type="button" class="button small" @click=${() => resolve(true)}>Keep mine</button>
        <button type="button" class="button small" @click=${() => resolve(false)}>Take theirs</button>
      </p>
    </div>
  `;
}
