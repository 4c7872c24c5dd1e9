import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import { listOrders } from "../api/orders.ts";
import { orderPath } from "../route.ts";
import { signInFirst } from "../session/account.ts";
import type { Shop, View } from "../shop.ts";
import { formatMoney } from "../ui/money.ts";
import { formatDateAndClock } from "../ui/time.ts";
import { itemsSummary, statusWord } from "./status.ts";

/** State of the view. */
interface OrdersState {
  /** User whose orders are shown; "" until a name is entered. */
  readonly userId: string;
  readonly orders: readonly OrderJson[];
  readonly nextPageToken: string;
  readonly phase: "idle" | "loading" | "loaded" | "unreachable";
  /** Error message of the last request; "" if it succeeded. */
  readonly complaint: string;
}

/** The orders of a user, newest first: who is signed in at a provider, else the one who is named. */
export function createOrdersView(shop: Shop): View {
  const { session } = shop;
  const end = new AbortController();
  let typed = shop.customer.get().userId;
  let state: OrdersState = {
    userId: typed.trim(),
    orders: [],
    nextPageToken: "",
    phase: "idle",
    complaint: "",
  };
  const show = (change: Partial<OrdersState>): void => {
    state = { ...state, ...change };
    shop.refresh();
  };

  const load = async (pageToken: string): Promise<void> => {
    const { userId } = state;
    if (userId === "") return;
    show({ phase: "loading", complaint: "" });
    const answer = await listOrders(shop.session, userId, pageToken, end.signal);
    // The user has entered another name meanwhile.
    if (state.userId !== userId) return;
    if (answer.kind === "ok") {
      const { orders = [], nextPageToken = "" } = answer.body;
      const before = pageToken === "" ? [] : state.orders;
      return show({ orders: [...before, ...orders], nextPageToken, phase: "loaded" });
    }
    const problem = answer.kind === "problem" ? answer.problem : undefined;
    show({ phase: "unreachable", complaint: problem ? problem.detail || problem.title : "" });
  };
  // A load rejects only when the view is left.
  const loadQuietly = (pageToken: string): void => void load(pageToken).catch(() => {});

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    show({ userId: typed.trim(), orders: [], nextPageToken: "", phase: "idle" });
    shop.customer.set({ ...shop.customer.get(), userId: state.userId });
    loadQuietly("");
  };

  const showSignedIn = (): void => {
    const userId = session.current()?.subject ?? "";
    if (session.signIn()?.method !== "oidc" || state.userId === userId) return;
    show({ userId, orders: [], nextPageToken: "", phase: "idle" });
    loadQuietly("");
  };

  end.signal.addEventListener("abort", session.subscribe(showSignedIn));
  showSignedIn();
  if (state.phase === "idle") loadQuietly("");
  return {
    title: "My orders · SmartCart",
    render: () => {
      const isOidc = session.signIn()?.method === "oidc";
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
      ${orderList(state)}
      ${
        state.nextPageToken
          ? html`<p><button type="button" class="button" @click=${() => loadQuietly(state.nextPageToken)}>Show older orders</button></p>`
          : nothing
      }
      <div role="status">${phaseNote(state, () => loadQuietly(""))}</div>
    `;
    },
    close: () => end.abort(),
  };
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

function orderList({ orders }: OrdersState): TemplateResult | typeof nothing {
  if (orders.length === 0) return nothing;
  return html`<ul class="orders">${orders.map(orderRow)}</ul>`;
}

function orderRow(order: OrderJson): TemplateResult {
  const { orderId = "", placedAt } = order;
  const word = statusWord(order.status);
  return html`
    <li>
      <a class="order-row panel" href=${orderPath(orderId)}>
        <span class="order-id">${orderId}</span>
        <span class="chip ${word.tone}">${word.text}</span>
        <span class="order-items">${itemsSummary(order)}</span>
        <span class="order-total">${formatMoney(order.total)}</span>
        <time class="muted" datetime=${placedAt ?? nothing}>${formatDateAndClock(placedAt)}</time>
      </a>
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
    case "unreachable":
      return html`
        <div class="notice warn">
          <p>${state.complaint || "The orders are unavailable at the moment."}</p>
          <p><button type="button" class="button" @click=${onAgain}>Try again</button></p>
        </div>
      `;
  }
}
