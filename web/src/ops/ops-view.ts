import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { createConsoleClients } from "../api/ops.ts";
import type { Shop, View } from "../shop.ts";
import { formatClock } from "../ui/time.ts";
import type { ChartPanels } from "./charts/chart-panels.ts";
import { createChartPanels } from "./charts/chart-panels.ts";
import type { Console, Panel } from "./console.ts";
import { createConsoleAccess } from "./console-access.ts";
import { createDeadLetterPanel } from "./dead-letters/dead-letter-panel.ts";
import { createDeadLetters } from "./dead-letters/dead-letters.ts";
import { figureTiles } from "./figure-tiles.ts";
import { createInvariantPanel } from "./invariants/invariant-panel.ts";
import type { LogPanel } from "./log/log-panel.ts";
import { createLogPanel } from "./log/log-panel.ts";
import { createLogTail } from "./log/log-tail.ts";
import { createHopAnimation } from "./map/hop-animation.ts";
import type { MapPanel } from "./map/map-panel.ts";
import { createMapPanel } from "./map/map-panel.ts";
import { takenAtMs } from "./mesh-history.ts";
import type { MeshWatch } from "./mesh-watch.ts";
import { watchMesh } from "./mesh-watch.ts";
import { queuePanel } from "./queue-panel.ts";
import { streamNote } from "./stream-note.ts";
import "./styles/ops.css";
import type { FaultSwitchPanel } from "./fault-switches/fault-switch-panel.ts";
import { createFaultSwitchPanel } from "./fault-switches/fault-switch-panel.ts";
import { tokenForm } from "./token-form.ts";

/** The operations console: the mesh as it runs, and what can be done about it. */
export function createOpsView(shop: Shop): View {
  const end = new AbortController();
  const access = createConsoleAccess(shop.session);
  const operations: Console = {
    ...createConsoleClients(access.interceptor),
    shop,
    access,
    signal: end.signal,
  };
  const animation = createHopAnimation(end.signal);
  const dead = createDeadLetters(operations);
  const faultSwitches = createFaultSwitchPanel(operations);
  const tail = createLogTail(operations);
  const invariants = createInvariantPanel(operations);
  let deadBefore = "";
  // A link to log lines scrolls to the log, after the panels above it have their height.
  let leadsToLog = tail.query().words !== "";
  const mesh = watchMesh(operations, (snapshot) => {
    if (leadsToLog) shop.focus("#log-heading");
    leadsToLog = false;
    animation.light(snapshot.hops);
    faultSwitches.report(snapshot.faultSwitches);
    const deadNow = snapshot.queues
      .map(({ queue, deadLetters }) => `${queue} ${deadLetters}`)
      .join();
    if (deadNow !== deadBefore) dead.reload();
    deadBefore = deadNow;
  });
  const panels: Panels = {
    map: createMapPanel(operations, animation),
    charts: createChartPanels(end.signal),
    log: createLogPanel(tail),
    deadLetters: createDeadLetterPanel(operations, dead),
    invariants,
    faultSwitches,
  };
  const restart = (): void => {
    for (const stream of [mesh, invariants, tail]) stream.restart();
    dead.reload();
    shop.focus("h1");
  };
  access.wanted.subscribe(() => (access.wanted.get() ? shop.focus("#token") : shop.refresh()));
  dead.reload();

  return {
    title: "Operations console · SmartCart",
    render: () => html`
      <div class="console" data-console=${mesh.get()}>
        <div class="console-head">
          <h1 tabindex="-1">Operations console</h1>
          ${streamNote(mesh.get(), "one snapshot per second")}
        </div>
        ${access.wanted.get() ? tokenForm(shop.session, access, restart) : consoleTemplate(mesh, panels)}
      </div>
    `,
    close: () => end.abort(),
  };
}

interface Panels {
  readonly map: MapPanel;
  readonly charts: ChartPanels;
  readonly log: LogPanel;
  readonly deadLetters: Panel;
  readonly invariants: Panel;
  readonly faultSwitches: FaultSwitchPanel;
}

function consoleTemplate(mesh: MeshWatch, panels: Panels): TemplateResult {
  const { latest, samples } = mesh.history();
  const stale = mesh.get() !== "live";
  return html`
    ${stale && latest ? staleNote(latest) : nothing}
    <div class="console-grid">
      ${
        latest
          ? html`
              <div class="now ${stale ? "stale" : ""}">
                ${figureTiles(latest)}
                <div class="beside">
                  <div class="side">
                    ${panels.map.render(latest)}
                    <div class="pair">${panels.charts.render(samples)}</div>
                  </div>
                  <div class="side">${queuePanel(latest)} ${panels.faultSwitches.render(latest.faultSwitches)}</div>
                </div>
              </div>
            `
          : html`<div class="panel blank-console"><p class="muted">No snapshot yet.</p></div>`
      }
      ${panels.invariants.render()} ${panels.deadLetters.render()}
      ${panels.log.render(latest?.services.map(({ service }) => service) ?? [])}
    </div>
  `;
}

function staleNote(latest: MeshSnapshot): TemplateResult {
  const time = formatClock(new Date(takenAtMs(latest)).toISOString());
  return html`
    <p class="notice warn" role="status" data-stale>
      <strong>Not live.</strong> The figures below are from ${time}. They update when the service responds again.
    </p>
  `;
}
