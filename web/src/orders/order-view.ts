import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { putIn } from "../basket/basket.ts";
import { logPath } from "../route.ts";
import { signInFirst } from "../session/account.ts";
import type { Shop, View } from "../shop.ts";
import type { CancelPanel } from "./cancel-panel.ts";
import { createCancelPanel } from "./cancel-panel.ts";
import { followOrder } from "./follow-order.ts";
import { livenessNote } from "./liveness-note.ts";
import { orderDetails } from "./order-details.ts";
import type { OrderFeed } from "./order-feed.ts";
import type { LoadedOrder } from "./order-loader.ts";
import { createOrderLoader } from "./order-loader.ts";
import { standingNotice } from "./standing-notice.ts";
import { statusWord } from "./status.ts";
import { timelineList } from "./timeline-list.ts";

/** One order: its live timeline, its items, and its cancellation. */
export function createOrderView(shop: Shop, orderId: string): View {
  const end = new AbortController();
  const { submission } = shop;
  const sent = submission.get();
  if (sent.kind === "placed" && sent.orderId === orderId) submission.acknowledge();
  const loader = createOrderLoader(shop.session, orderId, end.signal);
  const feed = followOrder(shop.session, orderId, end.signal);
  const cancelPanel = createCancelPanel(shop, {
    orderId,
    signal: end.signal,
    onChanged: loader.reload,
  });
  let known = 0;

  feed.subscribe(() => {
    const { entries } = feed.get().timeline;
    const fresh = entries.slice(known);
    if (fresh.length > 0) {
      known = entries.length;
      shop.announce(fresh.map((entry) => entry.status).join(", "));
      loader.reload();
    }
    shop.refresh();
  });
  loader.subscribe(() => {
    const { kind } = loader.get();
    if (kind === "missing" || kind === "denied") end.abort();
    shop.refresh();
  });

  return {
    title: `Order ${orderId} · SmartCart`,
    render: () => {
      const loaded = loader.get();
      if (loaded.kind === "missing") return missing(orderId);
      if (loaded.kind === "denied") return signInFirst(shop.session, `Order ${orderId}`);
      return orderTemplate(orderId, loaded, feed.get(), {
        cancelPanel,
        onReorder: (order) => reorder(shop, order),
      });
    },
    close: () => end.abort(),
  };
}

interface OrderActions {
  readonly cancelPanel: CancelPanel;
  readonly onReorder: (order: OrderJson) => void;
}

function orderTemplate(
  orderId: string,
  loaded: LoadedOrder,
  { timeline, liveness }: OrderFeed,
  { cancelPanel, onReorder }: OrderActions,
): TemplateResult {
  return html`
    <header class="order-head">
      <h1 tabindex="-1">Order <span class="order-id">${orderId}</span></h1>
      ${statusChip(loaded)}
    </header>
    ${loaded.kind === "order" ? standingNotice(loaded.order, () => onReorder(loaded.order)) : nothing}
    <div class="columns">
      <section class="panel" aria-labelledby="timeline-heading">
        <h2 id="timeline-heading">Timeline</h2>
        ${livenessNote(liveness)} ${timelineList(timeline)}
      </section>
      <section class="panel" aria-labelledby="details-heading">
        <h2 id="details-heading">Items</h2>
        ${orderDetails(loaded)}
        ${loaded.kind === "order" ? cancelPanel.render(loaded.order) : nothing}
      </section>
    </div>
    <p><a href="/orders">My orders</a> · <a href="/">Shop</a> ·
      <a href=${logPath(orderId)}>Log records of this order</a></p>
  `;
}

function reorder(shop: Shop, { items = [] }: OrderJson): void {
  const lines = items.map(({ productId = "", quantity = 0 }) => ({ productId, quantity }));
  shop.basket.set(putIn(shop.basket.get(), lines));
  shop.navigate("/checkout");
}

function statusChip(loaded: LoadedOrder): TemplateResult | typeof nothing {
  if (loaded.kind !== "order") return nothing;
  const { text, tone } = statusWord(loaded.order.status);
  return html`<span class="chip ${tone}" data-order-status=${loaded.order.status ?? ""}>${text}</span>`;
}

function missing(orderId: string): TemplateResult {
  return html`
    <h1 tabindex="-1">Order not found</h1>
    <p>You have no order with the id <span class="order-id">${orderId}</span>. The link may be
      incomplete, or the order may belong to another customer.</p>
    <p><a class="button primary" href="/orders">My orders</a></p>
  `;
}
