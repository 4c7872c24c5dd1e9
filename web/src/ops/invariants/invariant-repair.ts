import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Invariant } from "@smartcart/gen/ops/v1/invariant_pb";
import type { Repair } from "@smartcart/gen/ops/v1/ops_service_pb";
import { opsOrderPath } from "../../route.ts";
import type { Console, Panel } from "../console.ts";
import { complaintOf } from "../console-access.ts";

/** The button that checks and repairs the invariants, and the result. `onChecked` receives their state after the repair. */
export function createInvariantRepair(
  { shop, ops, access, signal }: Console,
  onChecked: (invariants: readonly Invariant[]) => void,
): Panel {
  let repairs: readonly Repair[] | undefined;
  let phase: "" | "repairing" | { readonly complaint: string } = "";

  const repair = async (): Promise<void> => {
    if (phase === "repairing") return;
    phase = "repairing";
    shop.announce("Repairing");
    shop.refresh();
    try {
      const answer = await ops.reconcile({}, { signal, timeoutMs: 60_000 });
      onChecked(answer.invariants);
      repairs = answer.repairs;
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
        <span class="muted">Refunds payments and releases units that belong to no order. All other violations require an operator.</span>
      </p>
      ${typeof phase === "object" ? html`<p class="field-error" role="alert">${phase.complaint}</p>` : nothing}
      ${repairs === undefined ? nothing : repairList(repairs)}
    `,
  };
}

function repairList(repairs: readonly Repair[]): TemplateResult {
  return html`
    <div role="status" data-repairs=${repairs.length}>
      <p><strong>${repairsInWords(repairs)}</strong></p>
      <ul class="rows">
        ${repairs.map(
          ({ orderId, action, invariant, problem }) => html`
            <li>
              ${action} for <a href=${opsOrderPath(orderId)}>${orderId}</a> <span class="muted">(${invariant})</span>
              ${problem ? html`<span class="bad">failed: ${problem}</span>` : nothing}
            </li>
          `,
        )}
      </ul>
    </div>
  `;
}

function repairsInWords(repairs: readonly Repair[]): string {
  if (repairs.length === 0) return "All invariants are checked; no repair was necessary.";
  const failed = repairs.filter(({ problem }) => problem !== "").length;
  return `${repairs.length - failed} repaired${failed > 0 ? `, ${failed} not` : ""}.`;
}
