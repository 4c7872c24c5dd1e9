/** The pages of the console, and the streams that they share. */
import type { TemplateResult } from "lit-html";
import { html } from "lit-html";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type { OpsRoute } from "../route.ts";
import { createCataloguePanel } from "./catalogue/catalogue-panel.ts";
import { createChartPanels } from "./charts/chart-panels.ts";
import type { Console } from "./console.ts";
import { createDeadLetterPanel } from "./dead-letters/dead-letter-panel.ts";
import { createDeadLetters } from "./dead-letters/dead-letters.ts";
import { createFaultSwitchPanel } from "./fault-switches/fault-switch-panel.ts";
import { figureTiles } from "./figure-tiles.ts";
import type { InvariantPanel } from "./invariants/invariant-panel.ts";
import { createInvariantPanel } from "./invariants/invariant-panel.ts";
import { createLogPanel } from "./log/log-panel.ts";
import { createLogTail } from "./log/log-tail.ts";
import { createHopAnimation } from "./map/hop-animation.ts";
import { createMapPanel } from "./map/map-panel.ts";
import type { MeshWatch } from "./mesh-watch.ts";
import { watchMesh } from "./mesh-watch.ts";
import { createOrderPanel } from "./orders/order-panel.ts";
import { createOrdersPanel } from "./orders/orders-panel.ts";
import { queuePanel } from "./queue-panel.ts";

/** All pages of the console. */
export interface Sections {
  readonly mesh: MeshWatch;
  readonly invariants: InvariantPanel;
  render(route: OpsRoute): TemplateResult;
  /** The address has changed to this page. */
  enter(route: OpsRoute): void;
  /** Begins all streams anew. */
  restart(): void;
}

const titles: Readonly<Record<OpsRoute["section"], string>> = {
  overview: "Operations console",
  orders: "Orders",
  order: "Order",
  catalogue: "Catalogue",
  "dead-letters": "Dead letters",
  log: "Log",
  faults: "Faults",
};

/** What the navigation calls a page. */
export function labelOf(section: OpsRoute["section"]): string {
  return section === "overview" ? "Overview" : titles[section];
}

/** The heading of a page. */
export function titleOf({ section, orderId }: OpsRoute): string {
  return section === "order" ? `Order ${orderId}` : titles[section];
}

export function createSections(operations: Console, first: OpsRoute): Sections {
  const panels = createPanels(operations);
  const { deadLetters, deadLetterPanel, tail, log, orders, order, invariants } = panels;
  const mesh = watchPanels(operations, panels);
  const enter = (route: OpsRoute): void => {
    if (route.section === "log") tail.follow(location.search);
    else tail.rest();
    if (route.section === "dead-letters") deadLetters.reload();
    if (route.section === "orders") orders.enter(location.search);
    if (route.section === "catalogue") panels.catalogue.enter(location.search);
    if (route.section === "order") order.enter(route.orderId ?? "");
  };
  enter(first);

  return {
    mesh,
    invariants,
    enter,
    render(route) {
      const services = mesh.history().latest?.services.map(({ service }) => service) ?? [];
      switch (route.section) {
        case "dead-letters":
          return deadLetterPanel.render();
        case "log":
          return log.render(services);
        case "orders":
          return orders.render();
        case "order":
          return order.render();
        case "catalogue":
          return panels.catalogue.render();
        case "faults":
          return whenKnown(mesh, (latest) => faultsTemplate(panels, latest));
        default:
          return whenKnown(mesh, (latest) => overviewTemplate(panels, mesh, latest));
      }
    },
    restart() {
      for (const stream of [mesh, invariants, tail]) stream.restart();
      deadLetters.reload();
    },
  };
}

type Panels = ReturnType<typeof createPanels>;

/** The mesh as it is measured, shown by the panels that change with each measurement. */
function watchPanels(
  operations: Console,
  { animation, deadLetters, faultSwitches }: Panels,
): MeshWatch {
  let deadBefore = "";
  return watchMesh(operations, (snapshot) => {
    animation.light(snapshot.hops);
    faultSwitches.report(snapshot.faultSwitches);
    const deadNow = snapshot.queues
      .map(({ queue, deadLetters: count }) => `${queue} ${count}`)
      .join();
    if (deadNow !== deadBefore) deadLetters.reload();
    deadBefore = deadNow;
  });
}

/** Content drawn from the last snapshot. Without one nothing is drawn: what came later would push the rest about. */
function whenKnown(
  mesh: MeshWatch,
  content: (latest: MeshSnapshot) => TemplateResult,
): TemplateResult {
  const { latest } = mesh.history();
  if (!latest) return html`<p class="panel blank-console muted">Waiting for the first figures…</p>`;
  return html`<div class="now ${mesh.get() === "live" ? "" : "stale"}">${content(latest)}</div>`;
}

function overviewTemplate(
  { map, charts, invariants }: Panels,
  mesh: MeshWatch,
  latest: MeshSnapshot,
): TemplateResult {
  return html`
    ${figureTiles(latest)} ${map.render(latest)} ${queuePanel(latest)}
    ${charts.render(mesh.history().samples)} ${invariants.render()}
  `;
}

function faultsTemplate({ faultSwitches, map }: Panels, latest: MeshSnapshot): TemplateResult {
  return html`${faultSwitches.render(latest.faultSwitches)} ${map.render(latest)}`;
}

/** What the pages are made of. */
function createPanels(operations: Console) {
  const animation = createHopAnimation(operations.signal);
  const map = createMapPanel(operations, animation);
  const charts = createChartPanels(operations);
  const deadLetters = createDeadLetters(operations);
  const deadLetterPanel = createDeadLetterPanel(operations, deadLetters);
  const faultSwitches = createFaultSwitchPanel(operations);
  const tail = createLogTail(operations);
  const log = createLogPanel(tail);
  const orders = createOrdersPanel(operations);
  const order = createOrderPanel(operations);
  const catalogue = createCataloguePanel(operations);
  const invariants = createInvariantPanel(operations);
  return {
    animation,
    map,
    charts,
    deadLetters,
    deadLetterPanel,
    faultSwitches,
    tail,
    log,
    orders,
    order,
    catalogue,
    invariants,
  };
}
