import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { formatMoney } from "../ui/money.ts";
import { formatDateAndClock } from "../ui/time.ts";
import type { LoadedOrder } from "./order-loader.ts";

/** Lines, total, address and trace of an order. */
export function orderDetails(loaded: LoadedOrder): TemplateResult {
  if (loaded.kind !== "order") {
    const text =
      loaded.kind === "unreachable"
        ? "The order is unavailable at the moment. Retrying…"
        : "Loading…";
    return html`<p class="muted" role="status">${text}</p>`;
  }
  const { items = [], total, userId, address, placedAt, traceId } = loaded.order;
  return html`
    ${loaded.reachable ? nothing : html`<p class="muted" role="status">May be out of date. Retrying…</p>`}
    <ul class="lines">
      ${items.map(
        ({ name, quantity, unitPrice }) => html`
          <li class="line">
            <span class="line-name">${quantity} × ${name}</span>
            <span class="line-price">${formatMoney(unitPrice)}${quantity === 1 ? nothing : " each"}</span>
          </li>
        `,
      )}
    </ul>
    <p class="total"><span>Total</span> <strong>${formatMoney(total)}</strong></p>
    <dl class="facts">
      <dt>For</dt>
      <dd>${userId}</dd>
      <dt>To</dt>
      <dd class="address">${address}</dd>
      <dt>Placed</dt>
      <dd><time datetime=${placedAt ?? nothing}>${formatDateAndClock(placedAt)}</time></dd>
      ${traceId ? html`<dt>Trace</dt><dd><code class="trace-id">${traceId}</code></dd>` : nothing}
    </dl>
  `;
}
