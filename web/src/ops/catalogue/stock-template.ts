import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { StockAdjustment } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import { StockAdjustmentReason as Reason } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import { formatCount } from "../../ui/numbers.ts";
import { formatDateAndClock } from "../../ui/time.ts";
import type { AdjustmentDraft, AdjustmentState } from "./adjustment.ts";
import type { LedgerState } from "./ledger.ts";
import { fieldProblem } from "./product-fields.ts";

interface StockActions {
  readonly type: (part: Partial<AdjustmentDraft>) => void;
  readonly send: () => void;
  /** Reads older entries of the ledger. */
  readonly more: () => void;
}

const reasons: readonly (readonly [Reason, string])[] = [
  [Reason.RECEIVED, "received from a supplier (+)"],
  [Reason.RETURNED, "returned by a customer (+)"],
  [Reason.WRITTEN_OFF, "written off: lost, broken, expired (−)"],
  [Reason.CORRECTED, "corrected after a count (+ or −)"],
];

const reasonWords: Readonly<Record<Reason, string>> = {
  [Reason.UNSPECIFIED]: "",
  [Reason.RECEIVED]: "received",
  [Reason.RETURNED]: "returned",
  [Reason.WRITTEN_OFF]: "written off",
  [Reason.CORRECTED]: "corrected",
};

export function stockTemplate(
  state: AdjustmentState,
  ledger: LedgerState,
  actions: StockActions,
): TemplateResult {
  return html`
    <section class="stock-editor" aria-labelledby="stock-heading">
      <h3 id="stock-heading">Stock</h3>
      ${adjustmentForm(state, actions)} ${ledgerTable(ledger, actions)}
    </section>
  `;
}

function adjustmentForm(
  { draft, problem, done, isSending }: AdjustmentState,
  { type, send }: StockActions,
): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    send();
  };
  const textOf = ({ target }: Event): string => (target as HTMLInputElement).value;
  return html`
    <form class="adjustment" aria-label="Adjust the stock" @submit=${submit} novalidate>
      <div>
        <label for="stock-delta">Units, + or −</label>
        <input id="stock-delta" inputmode="text" maxlength="8" autocomplete="off" .value=${draft.delta} @input=${(event: Event) => type({ delta: textOf(event) })}
          aria-invalid=${problem ? "true" : nothing} aria-describedby=${problem ? "stock-delta-problem" : nothing} />
      </div>
      <div>
        <label for="stock-reason">Reason</label>
        <select id="stock-reason" @change=${(event: Event) => type({ reason: Number(textOf(event)) as Reason })}>
          ${reasons.map(([reason, text]) => html`<option value=${reason} .selected=${reason === draft.reason}>${text}</option>`)}
        </select>
      </div>
      <div>
        <label for="stock-remark">Remark</label>
        <input id="stock-remark" maxlength="500" autocomplete="off" .value=${draft.remark} @input=${(event: Event) => type({ remark: textOf(event) })} />
      </div>
      <button class="button small" aria-disabled=${isSending ? "true" : nothing}>Adjust stock</button>
    </form>
    <div role="status" class="adjustment-note">${fieldProblem("stock-delta", problem)}${done ? html`<p class="good" data-adjusted>${done}</p>` : nothing}</div>
  `;
}

function ledgerTable(
  { entries, nextToken, complaint, isRead }: LedgerState,
  { more }: StockActions,
): TemplateResult {
  if (complaint) return html`<p class="field-error" role="alert">${complaint}</p>`;
  if (entries.length === 0) {
    return html`<p class="muted">${isRead ? "No adjustments yet. Orders are not adjustments: they reserve units." : "Loading…"}</p>`;
  }
  return html`
    <div class="scroller" tabindex="0" role="region" aria-label="Stock ledger">
      <table data-ledger=${entries.length}>
        <thead>
          <tr>
            <th scope="col">Time</th><th scope="col" class="number">Units</th><th scope="col" class="number">Available after</th>
            <th scope="col">Reason</th><th scope="col">By</th><th scope="col">Remark</th>
          </tr>
        </thead>
        <tbody>${entries.map(ledgerRow)}</tbody>
      </table>
    </div>
    ${nextToken ? html`<p class="row"><button type="button" class="button small" @click=${more}>Show older entries</button></p>` : nothing}
  `;
}

function ledgerRow(entry: StockAdjustment): TemplateResult {
  const { adjustedAt, delta, availableAfter, reason, operator, note } = entry;
  const time = adjustedAt && timestampDate(adjustedAt).toISOString();
  return html`
    <tr>
      <td><time datetime=${time ?? nothing}>${formatDateAndClock(time)}</time></td>
      <td class="number">${delta > 0 ? "+" : "−"}${formatCount(Math.abs(delta))}</td>
      <td class="number">${formatCount(availableAfter ?? 0)}</td>
      <td>${reasonWords[reason]}</td>
      <td>${operator || "this machine"}</td>
      <td class="remark">${note}</td>
    </tr>
  `;
}
