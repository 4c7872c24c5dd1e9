import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { ShortLineJson } from "@smartcart/gen/inventory/v1/reservation_pb";
import type { Problem } from "../api/problem.ts";
import { setQuantity } from "../basket/basket.ts";
import type { PriceList } from "../basket/basket-total.ts";
import { paymentWords } from "../orders/payment-words.ts";
import { orderPath } from "../route.ts";
import type { Shop } from "../shop.ts";
import { formatDateAndClock } from "../ui/time.ts";
import { priceChangedNotice } from "./price-changed.ts";

/** A clear no, in words, with a way on. */
export function refusalNotice(
  shop: Shop,
  problem: Problem,
  { other, seenPrices }: { readonly other: readonly string[]; readonly seenPrices: PriceList },
): TemplateResult {
  if (problem.status === 401) {
    return notice("You are not signed in", html`<p>Nothing was ordered. Your basket is saved.</p>`);
  }
  switch (problem.code) {
    case "OUT_OF_STOCK":
      return outOfStock(shop, problem);
    case "PRICE_CHANGED":
      return priceChangedNotice(problem, seenPrices);
    case "PAYMENT_DECLINED": {
      const { title, advice } = paymentWords(problem.reason);
      return notice(
        `${title}: not charged`,
        html`<p>${advice} Nothing was ordered, and your basket is saved.</p>
          ${recordLink(problem)}`,
      );
    }
    case "INVALID_ARGUMENT":
      return notice(
        "The order is invalid",
        html`<p>Correct the fields that are marked below. Nothing was ordered.</p>${list(other)}`,
      );
    default:
      return notice(problem.title, html`<p>${problem.detail}</p>${list(other)}`);
  }
}

/** No answer yet: the page asks again by itself, which is safe, until it has one. */
export function openNotice(options: {
  readonly problem: Problem | undefined;
  readonly online: boolean;
  readonly onGiveUp: () => void;
}): TemplateResult {
  const { problem, online, onGiveUp } = options;
  return html`
    <div class="notice warn" role="alert" tabindex="-1" data-outcome="unsettled">
      <h2>No answer yet</h2>
      <p>
        The order was sent, but its outcome is unknown.
        ${waysOn(problem, online)} It stays the same order, and you pay only once.
      </p>
      <p>
        You can also look at <a href="/orders">your orders</a>, or
        <button type="button" class="quiet" @click=${onGiveUp}>change this order</button>, which places a new one even if
        the first succeeded.
      </p>
    </div>
  `;
}

function waysOn(problem: Problem | undefined, online: boolean): string {
  if (problem?.status === 401) return "Sign in to see it.";
  return online
    ? "This page asks again by itself until it knows."
    : "When the network is back, this page asks again by itself.";
}

/** Sent too long ago to be sent again with the same key. */
export function expiredNotice(sentAtMs: number, onGiveUp: () => void): TemplateResult {
  return html`
    <div class="notice warn" role="alert" tabindex="-1" data-outcome="expired">
      <h2>An earlier order has no answer</h2>
      <p>
        It was sent on ${formatDateAndClock(new Date(sentAtMs).toISOString())}. Look at
        <a href="/orders">your orders</a> to see whether it was placed.
      </p>
      <p><button type="button" class="button" @click=${onGiveUp}>Start a new order</button></p>
    </div>
  `;
}

/** Another tab changed the basket in the moment of the click. */
export function changedNotice(): TemplateResult {
  return html`
    <div class="notice warn" role="alert" tabindex="-1" data-outcome="changed">
      <h2>Your basket changed in another window</h2>
      <p>Nothing was sent. Check the summary, then pay.</p>
    </div>
  `;
}

/** Not sent at all, since the browser has no network. */
export function offlineNotice(): TemplateResult {
  return html`
    <div class="notice warn" role="alert" tabindex="-1" data-outcome="offline">
      <h2>You are offline</h2>
      <p>Nothing was sent. Your basket and your entries are saved: pay when the network is back.</p>
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
  return html`<p><a href=${orderPath(orderId)}>Show the record of this order</a></p>`;
}

function list(lines: readonly string[]): TemplateResult | typeof nothing {
  return lines.length > 0 ? html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>` : nothing;
}
