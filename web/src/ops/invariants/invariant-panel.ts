import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { Invariant } from "@smartcart/gen/ops/v1/invariant_pb";
import { InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";
import { opsOrderPath } from "../../route.ts";
import { formatCount } from "../../ui/numbers.ts";
import { formatClock } from "../../ui/time.ts";
import type { Console, Panel } from "../console.ts";
import type { LiveStream } from "../live-stream.ts";
import { startLiveStream } from "../live-stream.ts";
import { streamNote } from "../stream-note.ts";
import { createInvariantRepair } from "./invariant-repair.ts";
import { invariantStateLabel, parseViolation } from "./invariant-row.ts";

/** The invariants and what can be done about them. */
export interface InvariantPanel extends Panel, Pick<LiveStream, "restart"> {
  /** As last checked; empty before the first answer. */
  list(): readonly Invariant[];
}

/** The invariants of SmartCart with their state, the rows that violate one, and the button that repairs. */
export function createInvariantPanel(operations: Console): InvariantPanel {
  const { shop, ops, access, signal } = operations;
  let invariants: readonly Invariant[] = [];
  let open = "";
  const repair = createInvariantRepair(operations, (checked) => {
    invariants = checked;
  });

  const stream = startLiveStream({
    open: (ended) => ops.watchInvariants({}, { signal: ended }),
    onMessage(message) {
      invariants = message.invariants;
      shop.refresh();
    },
    isDenied: access.isDenied,
    signal,
  });
  stream.subscribe(shop.refresh);

  const toggle = (name: string): void => {
    open = open === name ? "" : name;
    shop.refresh();
  };

  return {
    restart: stream.restart,
    list: () => invariants,
    render: () => html`
      <section class="panel" aria-labelledby="invariants-heading">
        <div class="panel-head">
          <h2 id="invariants-heading">Invariants</h2>
          ${streamNote(stream.get(), lastCheck(invariants))}
        </div>
        <ul class="invariant-list">${invariants.map((invariant) => invariantButton(invariant, open, toggle))}</ul>
        ${invariants.filter(({ name }) => name === open).map(invariantDetails)}
        ${repair.render()}
      </section>
    `,
  };
}

function invariantButton(
  invariant: Invariant,
  open: string,
  toggle: (name: string) => void,
): TemplateResult {
  const { name, state, rowCount } = invariant;
  const { text, tone } = invariantStateLabel(state);
  return html`
    <li>
      <button
        type="button"
        class="invariant-button ${tone}"
        aria-expanded=${open === name ? "true" : "false"}
        data-invariant=${name}
        data-state=${text}
        @click=${() => toggle(name)}
      >
        <span class="indicator ${tone}" aria-hidden="true"></span>
        <span>${name}<span class="invariant-state">${text}${rowCount > 0n ? ` · ${formatCount(rowCount)}` : nothing}</span></span>
      </button>
    </li>
  `;
}

function invariantDetails(invariant: Invariant): TemplateResult {
  const { description, rowsJson, rowCount, state, isRepairable } = invariant;
  return html`
    <div class="invariant-details">
      <p>${description}</p>
      ${rowsJson.length === 0 ? html`<p class="muted">No row violates it.</p>` : nothing}
      ${state === InvariantState.PENDING ? html`<p class="muted">This may be an order in progress, which needs no action.</p>` : nothing}
      ${isRepairable && state === InvariantState.VIOLATED ? html`<p>It can be repaired automatically.</p>` : nothing}
      <ul class="rows">${rowsJson.map(violationRow)}</ul>
      ${rowCount > rowsJson.length ? html`<p class="muted">and ${formatCount(rowCount - BigInt(rowsJson.length))} more</p>` : nothing}
    </div>
  `;
}

function violationRow(json: string): TemplateResult {
  const { orderId, facts } = parseViolation(json);
  return html`<li>${orderId ? html`<a href=${opsOrderPath(orderId)}>${orderId}</a>` : nothing} <span class="muted">${facts.join(" · ")}</span></li>`;
}

function lastCheck(invariants: readonly Invariant[]): string {
  const checked = invariants.flatMap(({ checkedAt }) =>
    checkedAt ? [timestampDate(checkedAt)] : [],
  );
  const latest = checked.sort((a, b) => b.getTime() - a.getTime())[0];
  return latest
    ? `last check at ${formatClock(latest.toISOString())}`
    : "the first check starts soon";
}
