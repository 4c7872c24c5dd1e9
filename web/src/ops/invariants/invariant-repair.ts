import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Invariant } from "@smartcart/gen/ops/v1/invariant_pb";
import { InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";
import type { Repair } from "@smartcart/gen/ops/v1/ops_service_pb";
import { opsOrderPath } from "../../route.ts";
import { formatCount } from "../../ui/numbers.ts";
import { formatClock } from "../../ui/time.ts";
import type { Console, Panel } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import { parseViolation } from "./invariant-row.ts";

/** The button that checks and repairs the invariants, and the result. `onChecked` receives their state after the repair. */
export function createInvariantRepair(
  { shop, ops, access, signal }: Console,
  onChecked: (invariants: readonly Invariant[]) => void,
): Panel {
  let result: RepairResult | undefined;
  let phase: "" | "repairing" | { readonly complaint: string } = "";

  const repair = async (): Promise<void> => {
    if (phase === "repairing") return;
    phase = "repairing";
    shop.announce("Repairing");
    shop.refresh();
    try {
      const answer = await ops.reconcile({}, { signal, timeoutMs: 60_000 });
      onChecked(answer.invariants);
      result = { ...answer, at: new Date().toISOString() };
      phase = "";
      shop.announce(repairsInWords(answer.repairs));
    } catch (error) {
      if (signal.aborted) return;
      phase = access.isDenied(error) ? "" : { complaint: complaintOf(error) };
    }
    shop.refresh();
  };
  return {
    render: () => html`
      <p class="row">
        <button type="button" class="button" aria-disabled=${phase === "repairing" ? "true" : nothing} @click=${repair}>
          ${phase === "repairing" ? "Repairing…" : "Check now and repair"}
        </button>
        <span class="muted">Refunds payments and releases units that belong to no order. Everything else needs a person.</span>
      </p>
      ${typeof phase === "object" ? html`<p class="field-error" role="alert">${phase.complaint}</p>` : nothing}
      ${result === undefined ? nothing : repairResult(result)}
    `,
  };
}

/** What a check with repair has found and done. */
interface RepairResult {
  readonly repairs: readonly Repair[];
  readonly invariants: readonly Invariant[];
  readonly at: string;
}

function repairResult({ repairs, invariants, at }: RepairResult): TemplateResult {
  const broken = invariants.filter(({ state }) => state === InvariantState.VIOLATED);
  const pending = invariants.filter(({ state }) => state === InvariantState.PENDING);
  return html`
    <div role="status" data-repairs=${repairs.length} data-needs-person=${broken.length}>
      <p><strong>${formatClock(at)}: ${invariants.length} invariants checked. ${repairsInWords(repairs)}</strong></p>
      <ul class="rows">${repairs.map(repairRow)}</ul>
      ${
        broken.length === 0
          ? html`<p>Nothing needs a person.</p>`
          : html`
              <p><strong>Needs a person:</strong> open the order, and cancel, refund or resume it.</p>
              <ul class="rows">${broken.map(brokenRow)}</ul>
            `
      }
      ${pending.length > 0 ? html`<p class="muted">Too recent to tell, as with an order in progress: ${pending.map(({ name }) => `“${name}”`).join(", ")}. Check again in a minute.</p>` : nothing}
    </div>
  `;
}

function repairRow({ orderId, action, invariant, problem }: Repair): TemplateResult {
  return html`
    <li>
      ${problem ? html`<span class="bad">${action} failed</span>` : actionDone(action)} for <a href=${opsOrderPath(orderId)}>${orderId}</a>
      <span class="muted">(${invariant})</span> ${problem ? html`<span class="bad">${problem}</span>` : nothing}
    </li>
  `;
}

function brokenRow({ name, description, rowsJson, rowCount }: Invariant): TemplateResult {
  const rows = rowsJson.map(parseViolation).filter(({ orderId }) => orderId !== "");
  return html`
    <li>
      “${name}”: ${description} Broken by ${formatCount(rowCount)} ${rowCount === 1n ? "row" : "rows"}${rows.length > 0 ? ":" : "."}
      ${rows.map(({ orderId }) => html`<a href=${opsOrderPath(orderId)}>${orderId}</a> `)}
    </li>
  `;
}

/** "refund" → "refunded" */
function actionDone(action: string): string {
  return action.endsWith("e") ? `${action}d` : `${action}ed`;
}

function repairsInWords(repairs: readonly Repair[]): string {
  if (repairs.length === 0) return "No repair was possible or necessary.";
  const failed = repairs.filter(({ problem }) => problem !== "").length;
  return `${repairs.length - failed} repaired${failed > 0 ? `, ${failed} not` : ""}.`;
}
