import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { OrderSummary } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { opsOrderPath, opsPath } from "../../route.ts";
import { formatMoney } from "../../ui/money.ts";
import { formatDateAndClock } from "../../ui/time.ts";
import type { Console, Panel } from "../console.ts";
import type { OrderQuery } from "./order-query.ts";
import { orderQueryIn, searchOf, stateChoices } from "./order-query.ts";
import type { OrderSearch } from "./order-search.ts";
import { createOrderSearch } from "./order-search.ts";
import { stateChip } from "./state-chip.ts";

/** The orders of all users: searched, listed, opened. */
export interface OrdersPanel extends Panel {
  /** Searches by the query in the URL. */
  enter(search: string): void;
}

export function createOrdersPanel(operations: Console): OrdersPanel {
  const { shop } = operations;
  const search = createOrderSearch(operations);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const of = (name: string): string => String(fields.get(name) ?? "").trim();
    const id = of("order");
    if (id !== "") {
      shop.navigate(opsOrderPath(id));
      return;
    }
    const query: OrderQuery = {
      state: of("state"),
      user: of("user"),
      product: of("product"),
      since: of("since"),
      until: of("until"),
    };
    history.replaceState(null, "", `${opsPath("orders")}${searchOf(query)}`);
    search.ask(query);
  };
  return {
    enter: (text) => search.ask(orderQueryIn(text)),
    render: () => html`
      <section class="panel" aria-labelledby="orders-heading">
        <h2 id="orders-heading">Search</h2>
        ${form(search.query(), submit)} ${results(search)}
      </section>
    `,
  };
}

function form(query: OrderQuery, submit: (event: SubmitEvent) => void): TemplateResult {
  return html`
    <form class="order-search" role="search" aria-label="Orders" @submit=${submit}>
      ${field("order", "Order id", "text", "")}
      <div>
        <label for="order-state">State</label>
        <select id="order-state" name="state">
          ${stateChoices.map(([value, text]) => html`<option value=${value} ?selected=${value === query.state}>${text}</option>`)}
        </select>
      </div>
      ${field("user", "User", "text", query.user)} ${field("product", "Product id", "text", query.product)}
      ${field("since", "Placed since", "datetime-local", query.since)} ${field("until", "Placed before", "datetime-local", query.until)}
      <button class="button primary">Search</button>
    </form>
  `;
}

function field(name: string, label: string, type: string, value: string): TemplateResult {
  const id = `order-${name}`;
  return html`
    <div>
      <label for=${id}>${label}</label>
      <input id=${id} name=${name} type=${type} maxlength="64" autocomplete="off" spellcheck="false" .value=${value} />
    </div>
  `;
}

function results(search: OrderSearch): TemplateResult {
  const orders = search.orders();
  return html`
    <div class="scroller" tabindex="0" role="region" aria-label="Orders that match">
      <table class="order-table" data-orders=${orders.length}>
        <thead>
          <tr>
            <th scope="col">Placed</th><th scope="col">Order</th><th scope="col">User</th>
            <th scope="col">Items</th><th scope="col" class="number">Total</th><th scope="col">State</th>
          </tr>
        </thead>
        <tbody>${orders.map(row)}</tbody>
      </table>
    </div>
    ${footer(search)}
  `;
}

function row({ order, state, refusal }: OrderSummary): TemplateResult | typeof nothing {
  if (!order) return nothing;
  const { orderId, userId, items, total, placedAt } = order;
  const placed = placedAt && timestampDate(placedAt).toISOString();
  return html`
    <tr data-order=${orderId}>
      <td><time datetime=${placed ?? nothing}>${formatDateAndClock(placed)}</time></td>
      <td><a href=${opsOrderPath(orderId)}>${orderId}</a></td>
      <td>${userId}</td>
      <td>${items.map(({ quantity, name }) => `${quantity} × ${name}`).join(", ")}</td>
      <td class="number">${formatMoney(total)}</td>
      <td>${stateChip(state, refusal)}</td>
    </tr>
  `;
}

function footer(search: OrderSearch): TemplateResult {
  const back = search.searchedBackTo();
  const since = back && formatDateAndClock(timestampDate(back).toISOString());
  const note = search.note();
  const isLoading = note === "loading";
  return html`
    <p class="row" role="status" data-search=${isLoading ? "loading" : note ? "failed" : "done"}>
      ${
        search.hasMore()
          ? html`<button type="button" class="button small" aria-disabled=${isLoading ? "true" : nothing} @click=${search.more}>Search older orders</button>`
          : nothing
      }
      <span class="muted">
        ${isLoading ? "Searching…" : note || summary(search.orders().length, search.hasMore(), since)}
      </span>
    </p>
  `;
}

function summary(count: number, hasMore: boolean, since: string | undefined): string {
  const found = count === 0 ? "No order matches" : count === 1 ? "1 order" : `${count} orders`;
  return hasMore && since ? `${found} since ${since}.` : `${found}.`;
}
