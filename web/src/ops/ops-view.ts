import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { createConsoleClients } from "../api/ops.ts";
import type { OpsRoute, OpsSection } from "../route.ts";
import { logPath, opsPath, opsSections } from "../route.ts";
import type { Shop, View } from "../shop.ts";
import { alarmRow, showInTab } from "./alarms/alarm-row.ts";
import { alarmsOf } from "./alarms/alarms.ts";
import type { Console } from "./console.ts";
import { createConsoleAccess } from "./console-access.ts";
import { takenAtMs } from "./mesh-history.ts";
import { createSections, labelOf, titleOf } from "./sections.ts";
import { staleNote, streamNote } from "./stream-note.ts";
import "./styles/ops.css";
import { tokenForm } from "./token-form.ts";

/** The operations console: the mesh as it runs, and what can be done about it. One page per section, which share its streams. */
export function createOpsView(shop: Shop, first: OpsRoute): View {
  const end = new AbortController();
  const access = createConsoleAccess(shop.session);
  const operations: Console = {
    ...createConsoleClients(access.interceptor),
    shop,
    access,
    signal: end.signal,
  };
  let route = redirected(first);
  const sections = createSections(operations, route);
  const { mesh, invariants } = sections;
  const alarms = () => alarmsOf(mesh.history().latest, invariants.list());
  const restart = (): void => {
    sections.restart();
    sections.enter(route);
    shop.focus("h1");
  };
  access.wanted.subscribe(() => (access.wanted.get() ? shop.focus("#token") : shop.refresh()));

  return {
    get title() {
      return `${showInTab(alarms())}${titleOf(route)} · SmartCart`;
    },
    render: () => {
      const { latest } = mesh.history();
      const isStale = mesh.get() !== "live" && latest !== undefined;
      return html`
        <div class="console" data-console=${mesh.get()} data-snapshot=${latest ? takenAtMs(latest) : nothing}>
          <div class="console-head">
            <h1 tabindex="-1">${titleOf(route)}</h1>
            ${streamNote(mesh.get(), "one snapshot per second")}
          </div>
          ${alarmRow(alarms())} ${sectionNav(route)}
          ${isStale ? staleNote(latest) : nothing}
          ${access.wanted.get() ? tokenForm(shop.session, access, restart) : sections.render(route)}
        </div>
      `;
    },
    moveTo(next) {
      if (next.page !== "ops") return false;
      route = redirected(next);
      sections.enter(route);
      shop.refresh();
      return true;
    },
    close() {
      showInTab([]);
      end.abort();
    },
  };
}

/** "/ops?log=…" was the address of the log before it had a page. */
function redirected(route: OpsRoute): OpsRoute {
  const words = new URLSearchParams(location.search).get("log");
  if (route.section !== "overview" || words === null) return route;
  history.replaceState(null, "", logPath(words));
  return { page: "ops", section: "log" };
}

function sectionNav({ section }: OpsRoute): TemplateResult {
  const current: OpsSection = section === "order" ? "orders" : section;
  return html`
    <nav class="console-nav" aria-label="Console">
      ${opsSections.map(
        (one) => html`
          <a href=${opsPath(one)} aria-current=${one === current ? "page" : nothing}>${labelOf(one)}</a>
        `,
      )}
    </nav>
  `;
}
