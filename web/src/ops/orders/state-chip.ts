import type { TemplateResult } from "lit-html";
import { html } from "lit-html";

/** The state of an order in the saga; one that a service refused to continue waits for a person. */
export function stateChip(state: string, refusal: string): TemplateResult {
  if (refusal !== "") return html`<span class="chip bad">needs a person: ${refusal}</span>`;
  const text = state.toLowerCase().replaceAll("_", " ");
  return html`<span class="chip ${toneOf(state)}" data-state=${state}>${text}</span>`;
}

function toneOf(state: string): string {
  if (state === "SHIPPED") return "good";
  return state.startsWith("REJECTED") || state.startsWith("CANCEL") ? "bad" : "open";
}
