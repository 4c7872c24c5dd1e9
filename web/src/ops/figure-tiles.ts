import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { figuresOf } from "./figures.ts";

/** The head of the console as tiles. */
export function figureTiles(snapshot: MeshSnapshot): TemplateResult {
  return html`
    <dl class="figures">
      ${figuresOf(snapshot).map(
        ({ name, value, note, tone }) => html`
          <div class="figure ${tone}">
            <dt>${name}</dt>
            <dd><strong>${value}</strong> <span class="muted">${note}</span></dd>
          </div>
        `,
      )}
    </dl>
  `;
}
