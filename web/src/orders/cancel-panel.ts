import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { cancelOrder } from "../api/orders.ts";
import type { Shop } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import type { Cancellation } from "./cancellation.ts";
import { cancellationAfter, isCancellable } from "./cancellation.ts";

/** Cancels an order: asks once, tells what will happen, and shows the result. */
export interface CancelPanel {
  render(order: OrderJson): TemplateResult | typeof nothing;
}

/** What the panel needs of the order's page. */
export interface CancelPanelOptions {
  readonly orderId: string;
  readonly signal: AbortSignal;
  /** Reads the order again. */
  readonly onChanged: () => void;
}

export function createCancelPanel(shop: Shop, options: CancelPanelOptions): CancelPanel {
  const { orderId, signal, onChanged } = options;
  let state: Cancellation = { kind: "none" };
  const show = (next: Cancellation, focus: string): void => {
    state = next;
    shop.focus(focus);
  };
  const send = async (): Promise<void> => {
    if (state.kind === "sending") return;
    show({ kind: "sending" }, "[data-cancellation]");
    show(
      cancellationAfter(await cancelOrder(shop.session, orderId, signal)),
      "[data-cancellation], h1",
    );
    if (state.kind === "moot") shop.announce("The order is closed");
    onChanged();
  };
  const actions: Actions = {
    ask: () => show({ kind: "asking" }, "[data-cancellation]"),
    keep: () => show({ kind: "none" }, "[data-cancel]"),
    // Only leaving the page rejects it.
    send: () => void send().catch(() => {}),
  };
  return { render: (order) => panelTemplate(order, state, actions) };
}

interface Actions {
  readonly ask: () => void;
  readonly keep: () => void;
  readonly send: () => void;
}

function panelTemplate(
  order: OrderJson,
  state: Cancellation,
  actions: Actions,
): TemplateResult | typeof nothing {
  // "Too late" outlives the moment in which the order can be cancelled: it is the answer to a click.
  if (state.kind === "too-late") {
    return notice("too-late", "Too late to cancel", tooLate);
  }
  if (!isCancellable(order) || state.kind === "moot") return nothing;
  switch (state.kind) {
    case "none":
      return html`<p><button type="button" class="button" data-cancel @click=${actions.ask}>Cancel this order…</button></p>`;
    case "asking":
    case "sending":
      return question(order, state.kind === "sending", actions);
    case "under-way":
      return notice("under-way", "Cancellation in progress", underWay);
    case "too-early":
      return notice("too-early", "Outcome pending", tooEarly, again("Try again", actions));
    case "failed":
      return notice(
        "failed",
        "No response",
        html`<p>${state.detail || "The cancellation may or may not have been received. It is safe to try again."}</p>`,
        again("Try again", actions),
      );
  }
}

const tooLate = html`<p>The parcel is already in preparation. The order continues unchanged.</p>`;
const underWay = html`
  <p>The cancellation is stored. Refund and stock release are in progress; this page shows when they are complete.</p>
`;
const tooEarly = html`<p>The payment is still being checked. The order is unchanged; try again in a moment.</p>`;

function question(order: OrderJson, sending: boolean, actions: Actions): TemplateResult {
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && !sending) actions.keep();
  };
  return html`
    <div
      class="notice warn"
      role="group"
      aria-labelledby="cancel-heading"
      aria-describedby="cancel-text"
      tabindex="-1"
      data-cancellation=${sending ? "sending" : "asking"}
      @keydown=${onKey}
    >
      <h3 id="cancel-heading">Cancel this order?</h3>
      <p id="cancel-text">${formatMoney(order.total)} is refunded, and the items are returned to stock. This cannot be undone.</p>
      <p class="row">
        <button type="button" class="button danger" aria-disabled=${sending ? "true" : nothing} @click=${actions.send}>
          ${sending ? "Cancelling…" : "Yes, cancel it"}
        </button>
        <button type="button" class="button" aria-disabled=${sending ? "true" : nothing} @click=${sending ? nothing : actions.keep}>
          Keep it
        </button>
      </p>
    </div>
  `;
}

function again(text: string, actions: Actions): TemplateResult {
  return html`
    <p class="row">
      <button type="button" class="button" @click=${actions.send}>${text}</button>
      <button type="button" class="button" @click=${actions.keep}>Keep the order</button>
    </p>
  `;
}

function notice(
  kind: Cancellation["kind"],
  title: string,
  text: TemplateResult,
  way: TemplateResult | typeof nothing = nothing,
): TemplateResult {
  return html`
    <div class="notice warn" role="alert" tabindex="-1" data-cancellation=${kind}>
      <h3>${title}</h3>
      ${text} ${way}
    </div>
  `;
}
