import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { EdgeKind } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { Edge, MeshSnapshot, ServiceState } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { formatCount, formatMs, formatRate } from "../../ui/numbers.ts";
import { troubleOf } from "../alarms/alarms.ts";
import type { Console } from "../console.ts";
import { healthOf } from "../health.ts";
import type { HopAnimation } from "./hop-animation.ts";
import { layoutOf } from "./map-layout.ts";
import { meshMap, nodeNames } from "./mesh-map.ts";

/** The map, and below it the numbers of the node that was chosen. */
export interface MapPanel {
  render(snapshot: MeshSnapshot): TemplateResult;
}

/** The map of services. A narrow window gets a layout of its own, and the page is drawn again when that changes. */
export function createMapPanel({ shop, signal }: Console, animation: HopAnimation): MapPanel {
  const narrow = matchMedia("(width < 44rem)");
  narrow.addEventListener("change", shop.refresh, { signal });
  let chosen = "";
  const choose = (name: string): void => {
    chosen = chosen === name ? "" : name;
    shop.refresh();
  };
  return {
    render: (snapshot) => html`
      <section class="panel map-panel" aria-labelledby="map-heading">
        <h2 id="map-heading">Services</h2>
        ${meshMap({
          snapshot,
          layout: layoutOf(nodeNames(snapshot), narrow.matches),
          animation,
          chosen,
          onChoose: choose,
        })}
        <p class="map-key muted" aria-hidden="true">
          <span><span class="key call"></span> call, with rate and p99</span>
          <span><span class="key message"></span> message</span>
          <span><span class="key failing"></span> failures</span>
        </p>
        ${numbers(snapshot, chosen)}
      </section>
    `,
  };
}

/** All numbers behind the picture; of one node where one is chosen. */
function numbers(snapshot: MeshSnapshot, chosen: string): TemplateResult {
  const service = snapshot.services.find((state) => state.service === chosen);
  const edges = snapshot.edges.filter(
    ({ from, to }) => chosen === "" || from === chosen || to === chosen,
  );
  return html`
    <details class="numbers" ?open=${chosen !== ""}>
      <summary>${chosen === "" ? "All figures of the map" : html`Figures of <strong>${chosen}</strong>`}</summary>
      ${service ? serviceFacts(service) : nothing}
      ${edges.length === 0 ? html`<p class="muted">No traffic yet.</p>` : edgeTable(edges)}
    </details>
  `;
}

function serviceFacts(state: ServiceState): TemplateResult {
  const { health, failedChecks, processes, gauges } = state;
  const { text, tone } = healthOf(health);
  return html`
    <dl class="gauges">
      <div><dt>Health</dt><dd><span class="chip ${tone === "warn" ? "open" : tone}">${text}</span></dd></div>
      ${failedChecks.length > 0 ? html`<div><dt>Failed checks</dt><dd>${troubleOf(state)}</dd></div>` : nothing}
      <div><dt>Processes</dt><dd>${processes}</dd></div>
      ${gauges.map(({ name, value }) => html`<div><dt>${name}</dt><dd>${formatCount(value)}</dd></div>`)}
    </dl>
  `;
}

function edgeTable(edges: readonly Edge[]): TemplateResult {
  return html`
    <div class="scroller" tabindex="0" role="region" aria-label="Traffic between the services">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th><th scope="col">To</th><th scope="col">Type</th>
            <th scope="col" class="number">Rate</th><th scope="col" class="number">Failed</th>
            <th scope="col" class="number">p50</th><th scope="col" class="number">p99</th>
          </tr>
        </thead>
        <tbody>${edges.map(edgeRow)}</tbody>
      </table>
    </div>
  `;
}

function edgeRow(edge: Edge): TemplateResult {
  const { from, to, kind, ratePerSecond, errorsPerSecond, p50Ms, p99Ms } = edge;
  const isMessage = kind === EdgeKind.MESSAGE;
  const time = (ms: number): string => (ms > 0 ? formatMs(ms) : "–");
  return html`
    <tr>
      <td>${from}</td><td>${to}</td><td>${isMessage ? "message" : "call"}</td>
      <td class="number">${formatRate(ratePerSecond)}</td>
      <td class="number ${errorsPerSecond > 0 ? "bad" : ""}">${formatRate(errorsPerSecond)}</td>
      <td class="number">${time(p50Ms)}</td><td class="number">${time(p99Ms)}</td>
    </tr>
  `;
}
