import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { formatCount } from "../../ui/numbers.ts";
import type { Console, Panel } from "../console.ts";
import { goodsColumns } from "./goods-columns.ts";
import { goodsFileTypes } from "./goods-file.ts";
import type { GoodsImport, ImportState } from "./goods-import.ts";
import { createGoodsImport } from "./goods-import.ts";
import { importPreview } from "./import-preview.ts";

/** Imports a file of goods: it is checked, shown, and only then applied, all of it or nothing. */
export function createImportPanel(operations: Console, onCommitted: () => void): Panel {
  const goodsImport = createGoodsImport(operations, onCommitted);
  return {
    render() {
      const state = goodsImport.get();
      return html`
        <section class="import inset" aria-labelledby="import-heading" data-import=${state.phase}>
          <h3 id="import-heading">Import products</h3>
          ${chooser(state, goodsImport)} ${progress(state, goodsImport)} ${importPreview(state, goodsImport)} ${outcome(state)}
        </section>
      `;
    },
  };
}

function chooser({ phase }: ImportState, { check }: GoodsImport): TemplateResult {
  const isBusy = phase === "checking" || phase === "committing";
  const choose = ({ target }: Event): void => {
    const input = target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) check(file);
    input.value = "";
  };
  return html`
    <p class="muted small">
      A CSV file whose first line names the columns, or JSON Lines. Columns: ${goodsColumns.join(", ")}. A column that is not in the file stays
      as it is; “stock” is what a new product begins with.
    </p>
    <p class="row">
      <label for="import-file">File</label>
      <input id="import-file" type="file" accept=${goodsFileTypes} ?disabled=${isBusy} @change=${choose} />
    </p>
  `;
}

function progress(
  { phase, share, rows, fileName }: ImportState,
  { cancel }: GoodsImport,
): TemplateResult | typeof nothing {
  if (phase !== "checking" && phase !== "committing") return nothing;
  const isChecking = phase === "checking";
  return html`
    <p class="row" role="status">
      <progress aria-label="Progress of the import" max="1" .value=${isChecking ? share : 1}></progress>
      <span>${isChecking ? `Checking ${fileName}: ${formatCount(rows)} lines` : "Importing…"}</span>
      ${isChecking ? html`<button type="button" class="button small" @click=${cancel}>Cancel</button>` : nothing}
    </p>
  `;
}

function outcome({ phase, complaint, summary }: ImportState): TemplateResult | typeof nothing {
  if (complaint)
    return html`<p class="field-error" role="alert">${complaint} Nothing was changed.</p>`;
  if (phase !== "done" || !summary) return nothing;
  const { created, updated, unchanged, rejected } = summary;
  return html`
    <p class="notice good" role="status" data-imported>
      <strong>Imported.</strong> ${formatCount(created)} created, ${formatCount(updated)} changed, ${formatCount(unchanged)} unchanged${rejected > 0 ? `, ${formatCount(rejected)} lines left out` : ""}.
    </p>
  `;
}
