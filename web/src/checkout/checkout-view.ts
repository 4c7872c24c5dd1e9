import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { basketLines } from "../basket/basket-lines.ts";
import type { Shop, View } from "../shop.ts";
import type { Checkout, Phase } from "./checkout.ts";
import { createCheckout, sentBody } from "./checkout.ts";
import { orderFields } from "./order-form.ts";
import { offlineNotice, refusalNotice, unsettledNotice } from "./outcome-notice.ts";
import { sentLines } from "./sent-lines.ts";

/** Basket, name, address and card; places the order and says what became of it. */
export function createCheckoutView(shop: Shop): View {
  const release = shop.catalogue.use();
  const checkout = createCheckout(shop);
  return {
    title: "Checkout · SmartCart",
    render: () => {
      const editing = checkout.phase().kind === "editing";
      return editing && shop.basket.get().length === 0
        ? emptyBasket()
        : checkoutTemplate(shop, checkout);
    },
    close() {
      checkout.close();
      release();
    },
  };
}

function checkoutTemplate(shop: Shop, checkout: Checkout): TemplateResult {
  const phase = checkout.phase();
  const locked = phase.kind !== "editing";
  const onSubmit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    await checkout.submit();
  };
  return html`
    <h1 tabindex="-1">Checkout</h1>
    ${notice(shop, checkout)}
    <form
      class="columns checkout"
      novalidate
      aria-busy=${phase.kind === "sending" ? "true" : nothing}
      @submit=${onSubmit}
    >
      <section class="panel" aria-labelledby="basket-heading">
        <h2 id="basket-heading" tabindex="-1">Basket</h2>
        ${
          locked
            ? sentLines(shop, sentBody(shop)?.items ?? [])
            : basketLines(shop, checkout.errors().items)
        }
      </section>
      <section class="panel" aria-labelledby="delivery-heading">
        <h2 id="delivery-heading">Delivery and payment</h2>
        ${orderFields({
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
        })}
        ${submitButton(phase)}
      </section>
    </form>
  `;
}

function submitButton(phase: Phase): TemplateResult {
  const texts = {
    editing: "Place the order",
    sending: "Placing the order…",
    unsettled: "Check again",
  };
  const busy = phase.kind === "sending";
  // It stays focusable while busy, so that the focus is still there when the answer comes.
  return html`
    <p class="submit">
      <button class="button primary wide" aria-disabled=${busy ? "true" : nothing}>
        ${texts[phase.kind]}
      </button>
      <span class="muted" role="status">
        ${busy && phase.repeating ? "No response yet; retrying. It stays one order." : nothing}
      </span>
    </p>
  `;
}

function notice(shop: Shop, checkout: Checkout): TemplateResult | typeof nothing {
  const phase = checkout.phase();
  switch (phase.kind) {
    case "sending":
      return nothing;
    case "unsettled":
      return unsettledNotice({
        problem: phase.problem,
        online: shop.online.get(),
        onGiveUp: checkout.giveUp,
      });
    case "editing":
      if (phase.refusal) return refusalNotice(shop, phase.refusal, checkout.errors().other);
      return phase.offline ? offlineNotice() : nothing;
  }
}

function emptyBasket(): TemplateResult {
  return html`
    <h1 tabindex="-1">Checkout</h1>
    <p id="basket-heading" tabindex="-1">Your basket is empty.</p>
    <p><a class="button primary" href="/">Go to the shop</a></p>
  `;
}
