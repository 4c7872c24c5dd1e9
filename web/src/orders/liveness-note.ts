import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Liveness } from "./order-feed.ts";

/** Tells the customer whether new steps appear by themselves. */
export function livenessNote(liveness: Liveness): TemplateResult {
  // A final order gets no new steps.
  const isOver = liveness.kind === "complete";
  return html`<p class="liveness" role="status" data-liveness=${liveness.kind} ?hidden=${isOver}>${words(liveness)}</p>`;
}

function words(liveness: Liveness): TemplateResult {
  switch (liveness.kind) {
    case "connecting":
      return html`<span class="dot wait"></span>Connecting…`;
    case "live":
      return html`<span class="dot live"></span>Live: new steps appear automatically`;
    case "interrupted":
      return html`
        <span class="dot off"></span>Not live. Reconnecting…
        ${liveness.reason ? html`<span class="muted">(${liveness.reason})</span>` : nothing}
      `;
    case "unknown-order":
      return html`<span class="dot off"></span>Not live: the status hub does not have this order`;
    case "complete":
      return html``;
  }
}
