import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { orderPath } from "../route.ts";
import { signInFirst } from "../session/account.ts";
import type { Session } from "../session/session.ts";
import type { Shop, View } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import { formatDateAndClock } from "../ui/time.ts";
import { orderAgain } from "./order-again.ts";
import { itemsSummary, shortOrderId, statusWord } from "./status.ts";
import type { OrdersState } from "./user-orders.ts";
import { createUserOrders } from "./user-orders.ts";

/** The orders of a user, newest first: of the signed-in customer, else of the typed name. */
export function createOrdersView(shop: Shop): View {
  const { session } = shop;
  const end = new AbortController();
  let typed = shop.customer.get().userId;
  const orders = createUserOrders(shop, end.signal);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    shop.customer.set({ ...shop.customer.get(), userId: typed.trim() });
    orders.show(typed.trim());
  };
  const showSignedIn = (): void => {
    const userId = session.current()?.subject ?? "";
    if (signsInAtProvider(session) && orders.get().userId !== userId) orders.show(userId);
  };

  end.signal.addEventListener("abort", session.subscribe(showSignedIn));
  orders.show(signsInAtProvider(session) ? (session.current()?.subject ?? "") : typed.trim());
  return {
    title: "My orders · SmartCart",
    render: () => {
      const isOidc = signsInAtProvider(session);
      if (isOidc && !session.current()) return signInFirst(session, "My orders");
      return html`
      <h1 tabindex="-1">My orders</h1>
      ${
        isOidc
          ? nothing
          : nameForm(typed, submit, (text) => {
              typed = text;
            })
      }
      ${orderList(shop, orders.get())}
      ${
        orders.get().nextPageToken
          ? html`<p><button type="button" class="button" @click=${() => orders.more()}>Show older orders</button></p>`
          : nothing
      }
      <div role="status">${phaseNote(orders.get(), () => orders.show(orders.get().userId))}</div>
    `;
    },
    close: () => end.abort(),
  };
}

function signsInAtProvider(session: Session): boolean {
  return session.signIn()?.method === "oidc";
}

function nameForm(
  typed: string,
  onSubmit: (event: SubmitEvent) => void,
  onInput: (text: string) => void,
): TemplateResult {
  return html`
    <form class="inline-form" novalidate @submit=${onSubmit}>
      <label for="whose">Your name</label>
      <input
        id="whose"
        autocomplete="username"
        maxlength="64"
        .value=${live(typed)}
        @input=${(event: Event) => onInput((event.target as HTMLInputElement).value)}
      />
      <button class="button">Show</button>
    </form>
  `;
}

function orderList(shop: Shop, { orders }: OrdersState): TemplateResult | typeof nothing {
  if (orders.length === 0) return nothing;
  return html`<ul class="orders">${orders.map((order) => orderRow(shop, order))}</ul>`;
}

/** Items and status first: what a customer looks for. */
function orderRow(shop: Shop, order: OrderJson): TemplateResult {
  const { orderId = "", placedAt } = order;
  const word = statusWord(order.status);
  return html`
    <li class="order-row panel" data-order=${orderId}>
      <a class="order-items" href=${orderPath(orderId)}>${itemsSummary(order)}</a>
      <span class="chip ${word.tone}">${word.text}</span>
      <p class="muted">
        <time datetime=${placedAt ?? nothing}>${formatDateAndClock(placedAt)}</time>
        · <span title=${orderId}>${shortOrderId(orderId)}</span> · ${formatMoney(order.total)}
      </p>
      <button type="button" class="button small" @click=${() => orderAgain(shop, order)}>
        Order again<span class="visually-hidden">: ${itemsSummary(order)}</span>
      </button>
    </li>
  `;
}

function phaseNote(state: OrdersState, onAgain: () => void): TemplateResult | typeof nothing {
  switch (state.phase) {
    case "idle":
      return html`<p class="muted">Enter the name that you used for the order.</p>`;
    case "loading":
      return html`<p class="muted">Loading orders…</p>`;
    case "loaded":
      if (state.orders.length > 0) return nothing;
      return html`<p>${state.userId} has no orders yet. <a href="/">Go to the shop</a></p>`;
    case "denied":
      return nothing;
    case "unreachable":
      return html`
        <div class="notice warn">
          <p>${state.complaint || "The orders are unavailable at the moment."}</p>
          <p><button type="button" class="button" @click=${onAgain}>Try again</button></p>
        </div>
      `;
  }
}
