import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { wantBasket } from "../catalogue/want-basket.ts";
import type { Shop, View } from "../shop.ts";
import type { Checkout } from "./checkout.ts";
import { createCheckout } from "./checkout.ts";
import type { OrderFormOptions } from "./order-form.ts";
import { addressStep, contactStep, paymentStep } from "./order-form.ts";
import { orderSummary } from "./order-summary.ts";
import {
  changedNotice,
  expiredNotice,
  offlineNotice,
  openNotice,
  refusalNotice,
} from "./outcome-notice.ts";

/** Contact, address and card beside a summary of the order; sends it and shows the outcome. */
export function createCheckoutView(shop: Shop): View {
  const release = wantBasket(shop);
  const checkout = createCheckout(shop);
  return {
    title: "Checkout · SmartCart",
    render: () => {
      const isOpen = isLocked(checkout);
      return !isOpen && shop.basket.get().length === 0
        ? emptyBasket()
        : checkoutTemplate(shop, checkout);
    },
    close() {
      checkout.close();
      release();
    },
  };
}

/** Nothing can be changed: an order with these values is on its way. */
function isLocked(checkout: Checkout): boolean {
  return ["sending", "signed-out", "expired"].includes(checkout.state().kind);
}

function checkoutTemplate(shop: Shop, checkout: Checkout): TemplateResult {
  const isSending = checkout.state().kind === "sending";
  const locked = isLocked(checkout);
  const onSubmit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    await checkout.submit();
  };
  const form: OrderFormOptions = {
    customer: shop.customer.get(),
    session: shop.session,
    token: checkout.token(),
    errors: checkout.errors(),
    locked,
    onCustomer(change) {
      shop.customer.set({ ...shop.customer.get(), ...change });
      shop.refresh();
    },
    onToken: checkout.choose,
  };
  return html`
    <h1 tabindex="-1">Checkout</h1>
    ${notice(shop, checkout)}
    <form
      class="columns checkout"
      novalidate
      aria-busy=${isSending ? "true" : nothing}
      @submit=${onSubmit}
    >
      <div class="checkout-steps">
        ${contactStep(form)} ${addressStep(form)} ${paymentStep(form)}
      </div>
      ${orderSummary(shop, { state: checkout.state(), errors: checkout.errors().items, locked })}
    </form>
  `;
}

function notice(shop: Shop, checkout: Checkout): TemplateResult | typeof nothing {
  const state = checkout.state();
  const onGiveUp = (): void => {
    checkout.giveUp();
    shop.focus("#basket-heading");
  };
  switch (state.kind) {
    case "sending":
      if (state.failures < 2) return nothing;
      return openNotice({ problem: state.problem, online: shop.online.get(), onGiveUp });
    case "signed-out":
      return openNotice({ problem: state.problem, online: shop.online.get(), onGiveUp });
    case "expired":
      return expiredNotice(state.sentAtMs, onGiveUp);
    case "changed":
      return changedNotice();
    case "refused":
      return refusalNotice(shop, state.problem, {
        other: checkout.errors().other,
        seenPrices: checkout.seenPrices(),
      });
    case "idle":
    case "placed":
      return checkout.isStoppedOffline() ? offlineNotice() : nothing;
  }
}

function emptyBasket(): TemplateResult {
  return html`
    <h1 tabindex="-1">Checkout</h1>
    <p id="basket-heading" tabindex="-1">Your basket is empty.</p>
    <p><a class="button primary" href="/">Go to the shop</a></p>
  `;
}
