import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import type { StreamState } from "./live-stream.ts";

/** Says whether what stands below is live. It speaks only when that changes. */
export function streamNote(state: StreamState, whatLiveMeans: string): TemplateResult {
  return html`<p class="liveness" role="status" data-stream=${state}>${words(state, whatLiveMeans)}</p>`;
}

function words(state: StreamState, whatLiveMeans: string): TemplateResult {
  switch (state) {
    case "connecting":
      return html`<span class="dot wait"></span>Connecting…`;
    case "live":
      return html`<span class="dot live"></span>Live: ${whatLiveMeans}`;
    case "interrupted":
      return html`<span class="dot off"></span>Not live. Reconnecting…`;
    case "denied":
      return html`<span class="dot off"></span>Not live: a token is required`;
  }
}
