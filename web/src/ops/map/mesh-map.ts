import type { TemplateResult } from "lit-html";
import { html, nothing, svg } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { EdgeKind } from "@smartcart/gen/ops/v1/instance_report_pb";
import type { Edge, MeshSnapshot, ServiceState } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { formatMs, formatRate } from "../../ui/numbers.ts";
import { troubleOf } from "../alarms/alarms.ts";
import { healthOf } from "../health.ts";
import type { Curve, Point } from "./geometry.ts";
import { curveBetween, pathOf } from "./geometry.ts";
import type { HopAnimation } from "./hop-animation.ts";
import { placeLabels } from "./label-places.ts";
import type { MapLayout } from "./map-layout.ts";

/** What the map shows, and its handlers. */
export interface MeshMapOptions {
  readonly snapshot: MeshSnapshot;
  readonly layout: MapLayout;
  readonly animation: HopAnimation;
  /** Name of the node that was chosen; "" for none. */
  readonly chosen: string;
  readonly onChoose: (name: string) => void;
}

/** The names of all nodes: the services, and what edges name beside them. */
export function nodeNames({ services, edges }: MeshSnapshot): readonly string[] {
  const names = ["client", ...services.map(({ service }) => service)];
  return [...new Set([...names, ...edges.flatMap(({ from, to }) => [from, to])])];
}

const keyOf = ({ from, to }: Pick<Edge, "from" | "to">): string => `${from} ${to}`;

/** The curve of each edge, by "from to". */
function curvesOf(edges: readonly Edge[], layout: MapLayout): ReadonlyMap<string, Curve> {
  const curves = new Map<string, Curve>();
  for (const { from, to } of edges) {
    const a = layout.places.get(from);
    const b = layout.places.get(to);
    if (a && b && from !== to) curves.set(`${from} ${to}`, curveBetween(a, b, layout.half));
  }
  return curves;
}

/** The mesh as a picture that can be asked: each node is a button that shows its numbers below. */
export function meshMap(options: MeshMapOptions): TemplateResult {
  const { snapshot, layout, animation } = options;
  const curves = curvesOf(snapshot.edges, layout);
  const lit = new Set(snapshot.hops.map(({ from, to }) => `${from} ${to}`));
  animation.follow(curves, layout);
  // Lines first, then boxes, then what is written on the lines: what is drawn later lies above.
  return html`
    <div class="map">
      <svg viewBox="0 0 ${layout.width} ${layout.height}" role="group" aria-label="Map of the services">
        ${arrowHeads}
        <g aria-hidden="true">${snapshot.edges.map((edge) => edgeLine(edge, curves, lit))}</g>
        ${[...layout.places.keys()].map((name) => node(name, options))}
        <g aria-hidden="true">${edgeLabels(snapshot.edges, curves, layout)}</g>
      </svg>
      <canvas aria-hidden="true" ${ref(animation.attach)}></canvas>
    </div>
  `;
}

const arrowHeads = svg`
  <defs>
    ${["call", "message", "failing"].map(
      (kind) => svg`
        <marker id="arrow-${kind}" class="arrow ${kind}" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7"
          markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5 L7.5 4 L0 7.5z" /></marker>
      `,
    )}
  </defs>
`;

function edgeLine(
  edge: Edge,
  curves: ReadonlyMap<string, Curve>,
  lit: ReadonlySet<string>,
): TemplateResult | typeof nothing {
  const key = keyOf(edge);
  const curve = curves.get(key);
  if (!curve) return nothing;
  const kind = edge.kind === EdgeKind.MESSAGE ? "message" : "call";
  const failing = edge.errorsPerSecond > 0;
  const width =
    edge.ratePerSecond > 0 ? Math.min(4.5, 1.3 + Math.log2(1 + edge.ratePerSecond) / 3) : 1;
  return svg`
    <path
      class="edge ${kind} ${failing ? "failing" : ""} ${edge.ratePerSecond > 0 ? "" : "quiet-edge"} ${lit.has(key) ? "lit" : ""}"
      d=${pathOf(curve)}
      stroke-width=${width.toFixed(1)}
      marker-end="url(#arrow-${failing ? "failing" : kind})"
    />
  ` as TemplateResult;
}

/** The rate and the p99 of an edge; "" for one without traffic. */
function edgeText({ ratePerSecond, p99Ms }: Edge): string {
  if (ratePerSecond <= 0) return "";
  return `${formatRate(ratePerSecond)}${p99Ms > 0 ? ` ${formatMs(p99Ms)}` : ""}`;
}

/** Beside each curve, where no light runs and nothing else is written. */
function edgeLabels(
  edges: readonly Edge[],
  curves: ReadonlyMap<string, Curve>,
  { places, half, width }: MapLayout,
): readonly (TemplateResult | typeof nothing)[] {
  const labels = edges.flatMap((edge) => {
    const key = keyOf(edge);
    const curve = curves.get(key);
    const text = edgeText(edge);
    return curve && text ? [{ key, text, curve }] : [];
  });
  const found = placeLabels(labels, { places: places.values(), half }, width);
  return edges.map((edge) => {
    const point = found.get(keyOf(edge));
    return point ? edgeLabel(edge, point) : nothing;
  });
}

function edgeLabel(edge: Edge, { x, y }: Point): TemplateResult {
  const time = edge.p99Ms > 0 ? ` ${formatMs(edge.p99Ms)}` : "";
  const failing = edge.errorsPerSecond > 0;
  return svg`
    <text class="edge-label ${failing ? "failing" : ""}" x=${x.toFixed(0)} y=${(y + 4).toFixed(0)}>${formatRate(edge.ratePerSecond)}<tspan class="edge-time">${time}</tspan></text>
  ` as TemplateResult;
}

function node(name: string, options: MeshMapOptions): TemplateResult | typeof nothing {
  const { snapshot, layout, chosen, onChoose } = options;
  const place = layout.places.get(name);
  if (!place) return nothing;
  const service = snapshot.services.find((state) => state.service === name);
  const { half } = layout;
  const health = service && healthOf(service.health);
  const note = noteOf(name, service);
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    onChoose(name);
  };
  return svg`
    <g
      class="node ${health?.tone ?? "outer"}"
      transform="translate(${place.x} ${place.y})"
      role="button"
      tabindex="0"
      aria-pressed=${chosen === name ? "true" : "false"}
      aria-label="${name} ${note}${health ? `, ${health.text}` : ""}"
      data-node=${name}
      data-health=${health?.text ?? nothing}
      @click=${() => onChoose(name)}
      @keydown=${press}
    >
      <rect x=${-half.x} y=${-half.y} width=${2 * half.x} height=${2 * half.y} rx="10" />
      ${health ? svg`<circle class="health-dot" cx=${-half.x + 14} cy="-8" r="4.5" />` : nothing}
      <text class="node-name" x=${health ? -half.x + 25 : 0} y="-4" text-anchor=${health ? "start" : "middle"}>${name}</text>
      <text class="node-note" x=${health ? -half.x + 11 : 0} y="15" text-anchor=${health ? "start" : "middle"}>${note}</text>
    </g>
  ` as TemplateResult;
}

/** The text that fits into a box; the alarms show all of it. */
function shortened(text: string): string {
  return text.length <= 18 ? text : `${text.slice(0, 17)}…`;
}

/** The line below a node's name. */
function noteOf(name: string, service: ServiceState | undefined): string {
  if (!service) return name === "client" ? "browsers, curl" : name === "queue" ? "messages" : "";
  const health = healthOf(service.health);
  if (health.tone !== "good") return shortened(troubleOf(service));
  return service.processes === 1 ? "1 process" : `${service.processes} processes`;
}
