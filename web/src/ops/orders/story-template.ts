import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import type { OrderStory } from "@smartcart/gen/ops/v1/order_story_pb";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { ShipmentStatus } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { logPath, opsPath } from "../../route.ts";
import { formatMoney } from "../../ui/money.ts";
import { formatDateAndClock, formatElapsed, formatPreciseClock } from "../../ui/time.ts";
import { stateChip } from "./state-chip.ts";
import type { WaterfallRow } from "./waterfall.ts";
import { waterfallOf } from "./waterfall.ts";

/** The whole story of an order. */
export function storyTemplate(story: OrderStory): TemplateResult {
  return html`
    ${missing(story.unavailable)} ${facts(story)} ${deadLetters(story)}
    <section class="panel" aria-labelledby="waterfall-heading">
      <div class="panel-head">
        <h2 id="waterfall-heading">What happened</h2>
        <a href=${logPath(story.order?.order?.orderId ?? "")}>Its lines in the log</a>
      </div>
      ${waterfall(waterfallOf(story))}
    </section>
    ${audit(story.records)}
  `;
}

function missing(services: readonly string[]): TemplateResult | typeof nothing {
  if (services.length === 0) return nothing;
  return html`
    <p class="notice warn" role="status" data-missing=${services.join(" ")}>
      <strong>Incomplete.</strong> No answer from: ${services.join(", ")}. Refresh when they respond again.
    </p>
  `;
}

function facts({ order: summary, payment, shipment }: OrderStory): TemplateResult | typeof nothing {
  const order = summary?.order;
  if (!order) return nothing;
  const placed = order.placedAt && timestampDate(order.placedAt).toISOString();
  return html`
    <section class="panel" aria-labelledby="facts-heading">
      <h2 id="facts-heading">Order</h2>
      <dl class="gauges">
        <div><dt>State</dt><dd>${stateChip(summary.state, summary.refusal)}</dd></div>
        <div><dt>User</dt><dd><a href="${opsPath("orders")}?${new URLSearchParams({ user: order.userId })}">${order.userId}</a></dd></div>
        <div><dt>Placed</dt><dd>${formatDateAndClock(placed)}</dd></div>
        <div><dt>Total</dt><dd>${formatMoney(order.total)}</dd></div>
        <div><dt>Payment</dt><dd>${payment ? wordOf(PaymentStatus, payment.status) : "none"}${payment?.declineCode ? `, ${payment.declineCode}` : nothing}</dd></div>
        <div><dt>Shipment</dt><dd>${shipment ? wordOf(ShipmentStatus, shipment.status) : "none"}${shipment?.trackingNumber ? `, ${shipment.trackingNumber}` : nothing}</dd></div>
        <div><dt>Items</dt><dd>${order.items.map(({ quantity, name }) => `${quantity} × ${name}`).join(", ")}</dd></div>
        <div><dt>Address</dt><dd>${order.address}</dd></div>
      </dl>
    </section>
  `;
}

function deadLetters({ deadLetters }: OrderStory): TemplateResult | typeof nothing {
  if (deadLetters.length === 0) return nothing;
  return html`
    <p class="notice warn">
      <strong>${deadLetters.length === 1 ? "A message" : `${deadLetters.length} messages`} of this order could not be processed:</strong>
      ${deadLetters[0]?.reason}. <a href=${opsPath("dead-letters")}>Open the dead letters</a>
    </p>
  `;
}

function waterfall(rows: readonly WaterfallRow[]): TemplateResult {
  const first = rows[0]?.at;
  return html`
    <ol class="waterfall">
      ${rows.map(
        (row) => html`
          <li class="${row.kind.replace(" ", "-")} ${row.tone}" data-kind=${row.kind} data-service=${row.service}>
            <time datetime=${row.at} title=${formatPreciseClock(row.at)}>${formatElapsed(first, row.at)}</time>
            <span class="service">${row.service}</span>
            <span class="what"><strong>${row.name}</strong> <span class="muted">${row.text}</span></span>
            <svg class="track" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
              <rect x=${row.startPercent.toFixed(2)} width=${row.widthPercent.toFixed(2)} height="4" rx="0.4" />
            </svg>
          </li>
        `,
      )}
    </ol>
  `;
}

/** The operators' actions on the order: entries of the audit log. */
function audit(records: readonly LogRecord[]): TemplateResult | typeof nothing {
  const entries = records.filter(({ event }) => event === "operator.called");
  if (entries.length === 0) return nothing;
  return html`
    <section class="panel" aria-labelledby="audit-heading">
      <h2 id="audit-heading">Audit log</h2>
      <ol class="rows">
        ${entries.map(({ occurredAt, message }) => {
          const at = occurredAt && timestampDate(occurredAt).toISOString();
          return html`<li data-audit><time datetime=${at ?? nothing}>${formatDateAndClock(at)}</time> ${message}</li>`;
        })}
      </ol>
    </section>
  `;
}

/** A value of an enum in a word: "captured". */
function wordOf(names: Readonly<Record<string, number>>, value: number): string {
  const name = Object.keys(names).find((one) => names[one] === value) ?? "unknown";
  return name.toLowerCase();
}
