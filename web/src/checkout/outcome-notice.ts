import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { ShortLineJson } from "@smartcart/gen/inventory/v1/reservation_pb";
import type { Problem } from "../api/problem.ts";
import { setQuantity } from "../basket/basket.ts";
import { orderPath } from "../route.ts";
import type { Shop } from "../shop.ts";

/** A clear no, in words, with a way on. */
export function refusalNotice(
  shop: Shop,
  problem: Problem,
  other: readonly string[],
): TemplateResult {
  if (problem.status === 401) {
    return notice("You are not signed in", html`<p>Nothing was ordered. Your basket is saved.</p>`);
  }
  switch (problem.code) {
    case "OUT_OF_STOCK":
      return outOfStock(shop, problem);
    case "PAYMENT_DECLINED":
      return notice(
        "The payment was declined",
        html`
          <p>
            Nothing was charged${problem.reason ? html` (reason from the bank: <code>${problem.reason}</code>)` : nothing}.
            Your basket is saved: choose another card below and place the order again.
          </p>
          ${recordLink(problem)}
        `,
      );
    case "INVALID_ARGUMENT":
      return notice(
        "The order is invalid",
        html`<p>Correct the fields that are marked below. Nothing was ordered.</p>${list(other)}`,
      );
    default:
      return notice(problem.title, html`<p>${problem.detail}</p>${list(other)}`);
  }
}

/** No answer yet; what was sent is kept and can be sent again without harm. */
export function unsettledNotice(options: {
  readonly problem: Problem | undefined;
  readonly online: boolean;
  readonly onGiveUp: () => void;
}): TemplateResult {
  const { problem, online, onGiveUp } = options;
  return html`
    <div class="notice warn" role="alert" tabindex="-1" data-outcome="unsettled">
      <h2>No response yet</h2>
      <p>
        The order was sent, but ${problem ? "its outcome is unknown" : "the response did not arrive"}.
        ${online ? "Check again" : "When the network is back, check again"}: it stays the same order, and you pay only
        once.
      </p>
      ${problem?.detail ? html`<p class="muted">${problem.detail}</p>` : nothing}
      <p>
        You can also look at <a href="/orders">your orders</a>, or
        <button type="button" class="quiet" @click=${onGiveUp}>change this order</button>, which places a new one even if
        the first succeeded.
      </p>
    </div>
  `;
}

/** Not sent at all, since the browser has no network. */
export function offlineNotice(): TemplateResult {
  return html`
    <div class="notice warn" role="alert" tabindex="-1" data-outcome="offline">
      <h2>You are offline</h2>
      <p>Nothing was sent. Your basket and your entries are saved: place the order when the network is back.</p>
    </div>
  `;
}

function outOfStock(shop: Shop, problem: Problem): TemplateResult {
  return notice(
    "Not enough in stock",
    html`
      <p>Fewer units are available than you requested. Nothing was ordered and nothing was charged.</p>
      <ul class="short-lines">
        ${problem.lines.map((line) => shortLine(shop, line))}
      </ul>
      ${recordLink(problem)}
    `,
  );
}

function shortLine(shop: Shop, line: ShortLineJson): TemplateResult {
  const { productId = "", requested = 0, available = 0 } = line;
  const name = shop.catalogue.find(productId)?.name ?? productId;
  const way = available > 0 ? `Take ${available} instead` : "Remove";
  const change = () => {
    shop.basket.set(setQuantity(shop.basket.get(), productId, available));
    shop.announce(`${name}: ${available} in the basket`);
  };
  return html`
    <li>
      <strong>${name}</strong>: ${requested} requested, ${available > 0 ? `${available} available` : "none available"}.
      <button type="button" class="button small" aria-label=${`${way}: ${name}`} @click=${change}>${way}</button>
    </li>
  `;
}

function notice(title: string, content: TemplateResult): TemplateResult {
  return html`
    <div class="notice bad" role="alert" tabindex="-1" data-outcome="refused">
      <h2>${title}</h2>
      ${content}
    </div>
  `;
}

function recordLink({ orderId }: Problem): TemplateResult | typeof nothing {
  if (!orderId) return nothing;
  return html`<p><a href=${orderPath(orderId)}>Show the timeline of this order</a></p>`;
}

function list(lines: readonly string[]): TemplateResult | typeof nothing {
  return lines.length > 0 ? html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>` : nothing;
}
