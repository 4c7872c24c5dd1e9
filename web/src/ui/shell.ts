import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { countUnits } from "../basket/basket.ts";
import { orderPath } from "../route.ts";
import { accountTemplate, sessionNotices } from "../session/account.ts";
import type { Shop } from "../shop.ts";

/** What the frame around every view needs. */
export interface ShellOptions {
  readonly shop: Shop;
  /** The path that is shown. */
  readonly path: string;
  /** The content of the main element. */
  readonly view: TemplateResult;
  /** For the live region. */
  readonly announcement: string;
}

/** Header, banners, the view, footer. */
export function shellTemplate({ shop, path, view, announcement }: ShellOptions): TemplateResult {
  return html`
    <a class="skip" href="#main">Skip to content</a>
    <header class="site-header">
      <div class="wrap">
        <a class="brand" href="/"><img src="/favicon.svg" alt="" width="28" height="28" />SmartCart</a>
        <nav aria-label="Site">
          ${navLink("/", "Shop", path)} ${navLink("/orders", "My orders", path)}
          ${isOperator(shop, path) ? navLink("/ops", "Console", path) : nothing} ${basketLink(shop, path)}
        </nav>
        ${accountTemplate(shop.session, () => signOut(shop))}
      </div>
    </header>
    <div class="wrap banners" role="status">${sessionNotices(shop.session)} ${bannerTemplate(shop, path)}</div>
    <main id="main" class="wrap" tabindex="-1">${view}</main>
    <footer class="site-footer">
      <div class="wrap">
        <p>A demonstration: no real money, no real parcels.</p>
        <p><a href="/docs" data-external>REST API</a></p>
      </div>
    </footer>
    <div class="visually-hidden" role="status" aria-live="polite" data-announcer>${announcement}</div>
  `;
}

/** The console is the operator's: a customer finds no way to it here. */
function isOperator({ session }: Shop, path: string): boolean {
  return session.current()?.isOperator === true || path.startsWith("/ops");
}

/** What the next person at this browser must not find: name, address, and an order that is not decided yet. */
function signOut({ session, customer, submission }: Shop): Promise<void> {
  customer.set({ userId: "", address: "" });
  submission.giveUp();
  return session.signOut();
}

function navLink(href: string, text: string, path: string): TemplateResult {
  return html`<a href=${href} aria-current=${path === href ? "page" : nothing}>${text}</a>`;
}

function basketLink(shop: Shop, path: string): TemplateResult {
  const units = countUnits(shop.basket.get());
  const name = units === 1 ? "Basket, 1 item" : `Basket, ${units} items`;
  return html`
    <a class="basket-link" href="/checkout" aria-label=${name} aria-current=${path === "/checkout" ? "page" : nothing}>
      Basket <span class="badge" aria-hidden="true">${units}</span>
    </a>
  `;
}

function bannerTemplate(shop: Shop, path: string): TemplateResult | typeof nothing {
  if (!shop.online.get()) {
    return html`
      <p class="notice warn" data-banner="offline">
        <strong>You are offline.</strong> Your basket is saved. The page continues when the network is back.
      </p>
    `;
  }
  return path === "/checkout" ? nothing : orderBanner(shop);
}

/** The outcome of the last order, on every page but the checkout, which shows it in full. */
function orderBanner({ submission }: Shop): TemplateResult | typeof nothing {
  const state = submission.get();
  switch (state.kind) {
    case "idle":
    case "changed":
      return nothing;
    case "placed":
      return html`
        <p class="notice good" data-banner="placed">
          <strong>Your order is placed.</strong> <a href=${orderPath(state.orderId)}>Show the order</a>
        </p>
      `;
    case "refused":
      return html`
        <p class="notice bad" data-banner="refused">
          <strong>Your order was not placed.</strong> <a href="/checkout">Show the reason</a>
        </p>
      `;
    case "sending":
      return html`
        <p class="notice warn" data-banner="sending">
          <strong>Your order is being sent.</strong> <a href="/checkout">Show the order</a>
        </p>
      `;
    case "signed-out":
    case "expired":
      return html`
        <p class="notice warn" data-banner="unsettled">
          <strong>The outcome of an order is unknown.</strong> <a href="/checkout">Show the order</a>
        </p>
      `;
  }
}
