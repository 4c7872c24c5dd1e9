import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { ImportChange } from "@smartcart/gen/inventory/v1/catalogue_import_pb";
import { formatCount } from "../../ui/numbers.ts";
import type { GoodsProblem } from "./goods-columns.ts";
import type { GoodsImport, ImportState } from "./goods-import.ts";
import { maxProblems } from "./goods-import.ts";

/** What the file would change, what is wrong with it, and the choice. */
export function importPreview(
  state: ImportState,
  actions: GoodsImport,
): TemplateResult | typeof nothing {
  if (state.phase !== "checked") return nothing;
  return html`
    <div class="import-preview" id="import-preview" tabindex="-1">
      ${counts(state)} ${problemTable(state)} ${changeTable(state, actions)} ${choice(state, actions)}
    </div>
  `;
}

function counts({ summary, badLines }: ImportState): TemplateResult {
  const { created = 0, updated = 0, unchanged = 0 } = summary ?? {};
  const count = (name: string, value: number): TemplateResult => html`
    <div class="figure ${name === "Bad lines" && value > 0 ? "bad" : ""}"><dt>${name}</dt><dd><strong data-count=${name}>${formatCount(value)}</strong></dd></div>
  `;
  return html`
    <dl class="figures">
      ${count("To create", created)} ${count("To change", updated)} ${count("Unchanged", unchanged)} ${count("Bad lines", badLines)}
    </dl>
  `;
}

function problemTable({ problems, badLines }: ImportState): TemplateResult | typeof nothing {
  if (problems.length === 0) return nothing;
  const row = ({ line, field, message }: GoodsProblem): TemplateResult => html`
    <tr><td class="number">${line}</td><td><code>${field}</code></td><td class="remark">${message}</td></tr>
  `;
  return html`
    <h4>${badLines === 1 ? "1 line cannot be imported" : `${formatCount(badLines)} lines cannot be imported`}</h4>
    <div class="scroller tall" tabindex="0" role="region" aria-label="Lines that cannot be imported">
      <table data-problems=${problems.length}>
        <thead><tr><th scope="col" class="number">Line</th><th scope="col">Field</th><th scope="col">Problem</th></tr></thead>
        <tbody>${problems.map(row)}</tbody>
      </table>
    </div>
    ${problems.length < maxProblems ? nothing : html`<p class="muted small">The first ${formatCount(maxProblems)} problems are shown.</p>`}
  `;
}

function changeTable(
  { changes, lastLine }: ImportState,
  { moreChanges }: GoodsImport,
): TemplateResult | typeof nothing {
  if (changes.length === 0) return nothing;
  return html`
    <h4>What would change</h4>
    <div class="scroller tall" tabindex="0" role="region" aria-label="What would change">
      <table data-changes=${changes.length}>
        <thead><tr><th scope="col" class="number">Line</th><th scope="col">Product</th><th scope="col">Change</th></tr></thead>
        <tbody>${changes.map(changeRow)}</tbody>
      </table>
    </div>
    ${lastLine > 0 ? html`<p class="row"><button type="button" class="button small" @click=${moreChanges}>Show more changes</button></p>` : nothing}
  `;
}

function changeRow({ line, productId, isNew, cells }: ImportChange): TemplateResult {
  return html`
    <tr data-change=${productId}>
      <td class="number">${line}</td>
      <td><code>${productId}</code></td>
      <td class="remark">
        ${isNew ? html`<span class="chip good">new</span>` : nothing}
        ${cells.map(({ field, before, after }) =>
          isNew
            ? html`<span class="cell-change"><span class="muted">${field}</span> ${after}</span>`
            : html`<span class="cell-change"><span class="muted">${field}</span> <del>${before || "(empty)"}</del> → <ins>${after || "(empty)"}</ins></span>`,
        )}
      </td>
    </tr>
  `;
}

function choice(
  { summary, badLines, rows }: ImportState,
  { commit, cancel }: GoodsImport,
): TemplateResult {
  const { created = 0, updated = 0 } = summary ?? {};
  const count = created + updated;
  const changes = count === 1 ? "1 change" : `${formatCount(count)} changes`;
  const text = badLines > 0 ? `Import the good lines: ${changes}` : `Import: ${changes}`;
  return html`
    ${badLines > 0 && rows > 0 ? html`<p>Correct the file and choose it again, or leave the bad lines out.</p>` : nothing}
    <p class="row">
      ${count > 0 ? html`<button type="button" class="button small primary" data-commit @click=${() => commit(badLines > 0)}>${text}</button>` : html`<span>The file changes nothing.</span>`}
      <button type="button" class="button small" @click=${cancel}>Cancel</button>
    </p>
  `;
}
