import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import type { ShipmentJson } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { formatMoney } from "../ui/money.ts";
import { pictureOf } from "../ui/picture.ts";
import { formatDateAndClock } from "../ui/time.ts";
import type { LoadedOrder } from "./order-loader.ts";
import { outcomeWords } from "./outcome-words.ts";
import { shortOrderId, statusWord } from "./status.ts";

/** The status of the order as a sentence, with the tracking number once there is one. */
export function orderHead(
  orderId: string,
  loaded: LoadedOrder,
  shipment: ShipmentJson | undefined,
  isRefunded: boolean,
): TemplateResult {
  const order = loaded.kind === "order" ? loaded.order : undefined;
  const { title, text, tone } = order
    ? outcomeWords(order, isRefunded)
    : { title: "Your order", text: loadingText(loaded), tone: "neutral" };
  return html`
    <header class="panel order-head ${tone}">
      <p class="muted order-line">
        <span title=${orderId}>Order ${shortOrderId(orderId)}</span>
        ${order ? html`<time datetime=${order.placedAt ?? nothing}>${formatDateAndClock(order.placedAt)}</time>` : nothing}
        ${order ? statusChip(order) : nothing}
      </p>
      <h1 tabindex="-1">${title}</h1>
      <p role="status">${text}</p>
      ${tracking(order, shipment)}
    </header>
  `;
}

/** Takes its room before the parcel leaves, and where none will, so that nothing jumps when an order changes. */
function tracking(
  order: OrderJson | undefined,
  shipment: ShipmentJson | undefined,
): TemplateResult {
  const { shippedAt, trackingNumber } = shipment ?? {};
  const isShipped = order?.status === "SHIPPED";
  const missing = isShipped ? "…" : "not yet";
  const willShip = isShipped || order?.status === "CONFIRMED" || order?.status === "SHIPPING";
  return html`
    <dl class="facts tracking ${willShip ? "" : "none"}">
      <dt>Shipped</dt>
      <dd><time datetime=${shippedAt ?? nothing}>${formatDateAndClock(shippedAt) || missing}</time></dd>
      <dt>Tracking number</dt>
      <dd><strong ?data-tracking=${trackingNumber !== undefined}>${trackingNumber ?? missing}</strong></dd>
    </dl>
  `;
}

function loadingText(loaded: LoadedOrder): string {
  return loaded.kind === "unreachable"
    ? "The order is unavailable at the moment. Retrying…"
    : "Loading…";
}

function statusChip({ status }: OrderJson): TemplateResult {
  const { text, tone } = statusWord(status);
  return html`<span class="chip ${tone}" data-order-status=${status ?? ""}>${text}</span>`;
}

/** What was ordered, and what it came to. */
export function itemsPanel(loaded: LoadedOrder): TemplateResult {
  const { items = [], total } = loaded.kind === "order" ? loaded.order : {};
  return html`
    <section class="panel" aria-labelledby="items-heading">
      <h2 id="items-heading">Items</h2>
      ${
        loaded.kind === "order" && !loaded.reachable
          ? html`<p class="muted" role="status">May be out of date. Retrying…</p>`
          : nothing
      }
      <ul class="lines">
        ${items.map(
          ({ productId = "", name, quantity, unitPrice }) => html`
            <li class="line">
              <span class="line-name">${pictureOf({ productId })} <span>${quantity} × ${name}</span></span>
              <span class="line-price">${formatMoney(unitPrice)}${quantity === 1 ? nothing : " each"}</span>
            </li>
          `,
        )}
      </ul>
      <p class="total"><span>Total</span> <strong>${formatMoney(total)}</strong></p>
    </section>
  `;
}

/** The recipient and the address. */
export function deliveryFacts({ userId, address }: OrderJson): TemplateResult {
  return html`
    <dl class="facts">
      <dt>For</dt>
      <dd>${userId}</dd>
      <dt>To</dt>
      <dd class="address">${address}</dd>
    </dl>
  `;
}
