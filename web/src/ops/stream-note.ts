import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { formatClock } from "../ui/time.ts";
import type { StreamState } from "./live-stream.ts";
import { takenAtMs } from "./mesh-history.ts";

/** Shows whether the content below is live. Screen readers announce only changes. */
export function streamNote(state: StreamState, whatLiveMeans: string): TemplateResult {
  return html`<p class="liveness" role="status" data-stream=${state}>${words(state, whatLiveMeans)}</p>`;
}

/** Shows that the figures on the page are stale. */
export function staleNote(latest: MeshSnapshot): TemplateResult {
  const time = formatClock(new Date(takenAtMs(latest)).toISOString());
  return html`
    <p class="notice warn" role="status" data-stale>
      <strong>Not live.</strong> The figures below are from ${time}. They update when the service responds again.
    </p>
  `;
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
