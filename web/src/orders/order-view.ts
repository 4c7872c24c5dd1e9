import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { signInFirst } from "../session/account.ts";
import type { Shop, View } from "../shop.ts";
import type { CancelPanel } from "./cancel-panel.ts";
import { createCancelPanel } from "./cancel-panel.ts";
import { followOrder } from "./follow-order.ts";
import { livenessNote } from "./liveness-note.ts";
import { wasRefunded } from "./milestones.ts";
import { orderAgain } from "./order-again.ts";
import { orderDetails } from "./order-details.ts";
import type { OrderFeed } from "./order-feed.ts";
import type { LoadedOrder, OrderLoader } from "./order-loader.ts";
import { createOrderLoader } from "./order-loader.ts";
import { deliveryFacts, itemsPanel, orderHead } from "./order-panels.ts";
import type { ShipmentLoader } from "./shipment-loader.ts";
import { createShipmentLoader } from "./shipment-loader.ts";
import { isFinal, shortOrderId } from "./status.ts";
import { timelineList } from "./timeline-list.ts";

/** One order: its status, its items, its live progress, and its cancellation. */
export function createOrderView(shop: Shop, orderId: string): View {
  const end = new AbortController();
  const { session, submission } = shop;
  const sent = submission.get();
  if (sent.kind === "placed" && sent.orderId === orderId) submission.acknowledge();
  const loader = createOrderLoader(session, orderId, end.signal);
  const shipment = createShipmentLoader(session, orderId, end.signal);
  const feed = followOrder(session, orderId, end.signal);
  const cancelPanel = createCancelPanel(shop, {
    orderId,
    signal: end.signal,
    onChanged: loader.reload,
  });
  announceSteps(shop, feed, loader);
  shipment.subscribe(shop.refresh);
  loader.subscribe(() => {
    const loaded = loader.get();
    if (loaded.kind === "missing" || loaded.kind === "denied") end.abort();
    if (loaded.kind === "order" && loaded.order.status === "SHIPPED") shipment.load();
    shop.refresh();
  });

  return {
    title: `Order ${shortOrderId(orderId)} · SmartCart`,
    render: () => {
      const loaded = loader.get();
      if (loaded.kind === "missing") return missing(orderId);
      if (loaded.kind === "denied") {
        return signInFirst(session, `Order ${shortOrderId(orderId)}`);
      }
      return orderTemplate(shop, orderId, { loaded, feed: feed.get(), shipment, cancelPanel });
    },
    close: () => end.abort(),
  };
}

/** Announces each new step to screen readers, and reads the order again. */
function announceSteps(
  shop: Shop,
  feed: ReturnType<typeof followOrder>,
  { reload }: OrderLoader,
): void {
  let known = 0;
  feed.subscribe(() => {
    const { entries } = feed.get().timeline;
    const fresh = entries.slice(known);
    if (fresh.length > 0) {
      known = entries.length;
      shop.announce(fresh.map((entry) => entry.status).join(", "));
      reload();
    }
    shop.refresh();
  });
}

interface OrderParts {
  readonly loaded: LoadedOrder;
  readonly feed: OrderFeed;
  readonly shipment: ShipmentLoader;
  readonly cancelPanel: CancelPanel;
}

function orderTemplate(
  shop: Shop,
  orderId: string,
  { loaded, feed, shipment, cancelPanel }: OrderParts,
): TemplateResult {
  const { timeline, liveness } = feed;
  const order = loaded.kind === "order" ? loaded.order : undefined;
  const head = orderHead(orderId, loaded, shipment.get(), wasRefunded(timeline));
  // All at once when it is there, so that nothing jumps.
  if (!order) return head;
  return html`
    ${head}
    <div class="columns">
      <div class="stack">
        ${itemsPanel(loaded)}
        <section class="panel" aria-labelledby="timeline-heading">
          <div class="panel-head">
            <h2 id="timeline-heading">Progress</h2>
            ${livenessNote(liveness)}
          </div>
          ${timelineList(timeline)}
        </section>
      </div>
      <section class="panel delivery" aria-labelledby="delivery-heading">
        <h2 id="delivery-heading">Delivery</h2>
        ${deliveryFacts(order)} ${cancelPanel.render(order)}
        ${isFinal(order) ? againButton(shop, order) : nothing}
      </section>
    </div>
    ${orderDetails(orderId, order, timeline)}
    <p><a href="/orders">My orders</a> · <a href="/">Shop</a></p>
  `;
}

function againButton(shop: Shop, order: OrderJson): TemplateResult {
  return html`<p><button type="button" class="button" @click=${() => orderAgain(shop, order)}>Order again</button></p>`;
}

function missing(orderId: string): TemplateResult {
  return html`
    <h1 tabindex="-1">Order not found</h1>
    <p>You have no order with the id <span class="order-id">${orderId}</span>. The link may be
      incomplete, or the order may belong to another customer.</p>
    <p><a class="button primary" href="/orders">My orders</a></p>
  `;
}
